// SPDX-License-Identifier: Apache-2.0
// Answers that come from the database's stable views (docs/database.md) rather than from the
// engine: figures, curves, comparisons, environments. Read over connections of their own that can
// only read, so that the engine never waits for them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"

namespace SQLite {
class Database;
}

namespace remixer::coordinator {

struct MatrixQuestion {
  int64_t grid = 0;
  std::string metric = "top1", weights = "raw";
};

struct CurvesQuestion {
  int64_t grid = 0;
  std::string name = "loss";
  int64_t series = 100;  // at most; those that run and the newest first
  int64_t points = 300;  // at most, of each
};

// One object is one look at the database: all its answers are of the same moment. One thread.
class DatabaseViews {
 public:
  // Throws Error where the file cannot be read.
  explicit DatabaseViews(const std::filesystem::path& file);
  ~DatabaseViews();

  // Cells of a grid by model (rows) and labeler (columns): how many are in which state; mean and
  // deviation over their seeds of each evaluation set, and of BG-Gap where both its sets are there,
  // with the gain over the mean of the row's cells without labels.
  Json matrix(const MatrixQuestion& question);
  // One metric of the grid's training runs over steps. Attempts of a task are one series: the later
  // one's word holds where both have a step.
  Json curves(const CurvesQuestion& question);
  // All metrics of one task, or those named.
  Json task_metrics(const std::string& task, const std::vector<std::string>& names, int64_t points);
  // What differs between cells, in what they are and in what they ran on, and their figures. `ids`
  // may be beginnings of ids. Throws NotFound, or InputError where one is not unique.
  Json compare(const std::vector<std::string>& ids);
  // By attempt: what it ran on.
  Json environments(const std::string& task);

 private:
  std::string find_cell(const std::string& prefix);

  std::unique_ptr<SQLite::Database> database_;
};

// The members of nested objects under dotted names: {"a": {"b": 1}} → {"a.b": 1}. Arrays and empty
// objects are values.
Json flattened(const Json& json);

// At most `most` of `count` indices, evenly spread, the first and the last among them.
std::vector<size_t> spread(size_t count, size_t most);

}  // namespace remixer::coordinator
