// SPDX-License-Identifier: Apache-2.0
// Answers from the database's stable views (docs/database.md) rather than from the engine: figures,
// curves, comparisons, environments. They use their own read-only connections, so that the engine
// never waits for them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "experiments/protocol/analysis_answers.h"
#include "experiments/protocol/answers.h"

namespace SQLite {
class Database;
}

namespace remixer::coordinator {

namespace answers = experiments::protocol::answers;

struct MatrixQuestion {
  int64_t grid = 0;
  std::string metric = "top1", weights = "raw";
};

struct CurvesQuestion {
  int64_t grid = 0;
  std::string name = "loss";
  int64_t series = 100;  // maximum; running ones and the newest first
  int64_t points = 300;  // maximum per series
};

// Each object is one snapshot of the database: all its answers are consistent. One thread.
class DatabaseViews {
 public:
  // Throws Error if the file cannot be read.
  explicit DatabaseViews(const std::filesystem::path& file);
  ~DatabaseViews();

  // Cells of a grid by model (rows) and labeler (columns): number per state; mean and deviation
  // over their seeds for each evaluation set, and for BG-Gap if both its sets exist, with the gain
  // over the mean of the row's cells without labels.
  answers::Matrix matrix(const MatrixQuestion& question);
  // One metric of the grid's training runs over steps. Attempts of a task form one series: at a
  // step that several have, the latest attempt's value counts.
  answers::Curves curves(const CurvesQuestion& question);
  // All metrics of one task, or only those named.
  answers::TaskMetrics task_metrics(const std::string& task, const std::vector<std::string>& names,
                                    int64_t points);
  // What differs between cells, in their configuration and environment, and their figures. `ids`
  // may be prefixes. Throws NotFound, or InputError if a prefix is not unique.
  answers::Comparison compare(const std::vector<std::string>& ids);
  // The environment of each attempt.
  std::vector<answers::Environment> environments(const std::string& task);

 private:
  std::string find_cell(const std::string& prefix);

  std::unique_ptr<SQLite::Database> database_;
};

// The members of nested objects under dotted names: {"a": {"b": 1}} → {"a.b": 1}. Arrays and empty
// objects count as values.
Json flattened(const Json& json);

// At most `most` of `count` indices, evenly spaced, including the first and the last.
std::vector<size_t> spread(size_t count, size_t most);

}  // namespace remixer::coordinator
