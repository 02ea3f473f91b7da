// SPDX-License-Identifier: Apache-2.0
// Runs read-only SQL queries on the database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/text_table.h"

namespace remixer::coordinator::command {

// Limits of a query.
struct QueryLimits {
  int64_t rows = 1'000'000;
  double seconds = 60;
  int64_t bytes = int64_t{1} << 30;  // of the result, and of SQLite's own memory
};

// The rows of one SELECT (or WITH ... SELECT). `values` are bound to its ?s. Throws InputError if
// there is no database, if `sql` is wrong, has several statements or does more than read, or if the
// result exceeds a limit. One call at a time: SQLite's memory limit applies to the whole process.
Table query_database(const std::filesystem::path& file, const std::string& sql,
                     const std::vector<std::string>& values = {}, const QueryLimits& limits = {});

// Filters of `remixer query` on the view `results`; empty: any.
struct ResultFilter {
  std::vector<std::string> architecture{}, spatial_prior{}, labeler{}, train_set{}, recipe{},
      seed{}, eval_set{}, metric{}, weights{};
  std::string grid{};  // by name
};
// Adds a filter given as "labeler=saliency,relabel". Returns false if `text` is not a filter;
// throws InputError if there is no such filter.
bool add_filter(ResultFilter& filter, const std::string& text);
// Throws InputError, listing the existing values, if a filter names a value that no cell or figure
// of the database has. Cells without figures yet count too.
void check_filter(const std::filesystem::path& file, const ResultFilter& filter);
// The SELECT for a filter and the values for its ?s.
std::string filter_sql(const ResultFilter& filter, std::vector<std::string>& values);

}  // namespace remixer::coordinator::command
