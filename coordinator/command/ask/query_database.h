// SPDX-License-Identifier: Apache-2.0
// Runs read-only SQL queries on the database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/text_table.h"

namespace remixer::coordinator::command {

// How much a query may ask for.
struct QueryLimits {
  int64_t rows = 1'000'000;
  double seconds = 60;
  int64_t bytes = int64_t{1} << 30;  // of the answer, and of SQLite's own memory
};

// The rows of one SELECT (or WITH ... SELECT). `values` are bound to its ?s. Throws InputError
// where there is no database, `sql` is wrong, more than one statement, or anything but reading, or
// the answer goes beyond a limit. One thread at a time: SQLite's memory is the process's.
Table query_database(const std::filesystem::path& file, const std::string& sql,
                     const std::vector<std::string>& values = {}, const QueryLimits& limits = {});

// What `remixer query` can filter the view `results` by; empty: any.
struct ResultFilter {
  std::vector<std::string> architecture{}, spatial_prior{}, labeler{}, train_set{}, recipe{},
      seed{}, eval_set{}, metric{}, weights{};
  std::string grid{};  // by name
};
// Adds a filter as people write it, "labeler=saliency,relabel". False where `text` is none; throws
// InputError where it filters by something that there is not.
bool add_filter(ResultFilter& filter, const std::string& text);
// Throws InputError with the values that there are where a filter names one that neither a cell nor
// a figure of the database has; a cell without figures yet is none of that.
void check_filter(const std::filesystem::path& file, const ResultFilter& filter);
// The SELECT for a filter and the values for its ?s.
std::string filter_sql(const ResultFilter& filter, std::vector<std::string>& values);

}  // namespace remixer::coordinator::command
