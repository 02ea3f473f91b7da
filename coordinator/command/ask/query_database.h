// Questions to the database in SQL, which can read but never change it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/text_table.h"

namespace remixer::coordinator::command {

// The rows of one SELECT (or WITH ... SELECT). `values` are bound to its ?s. Throws InputError
// where there is no database, or `sql` is wrong, more than one statement, or anything but reading.
Table query_database(const std::filesystem::path& file, const std::string& sql,
                     const std::vector<std::string>& values = {});

// What `remixer query` can filter the view `results` by; empty: any.
struct ResultFilter {
  std::vector<std::string> architecture{}, spatial_prior{}, labeler{}, train_set{}, recipe{},
      seed{}, eval_set{}, metric{}, weights{};
  std::string grid{};  // by name
};
// Adds a filter as people write it, "labeler=saliency,relabel". False where `text` is none; throws
// InputError where it filters by something that there is not.
bool add_filter(ResultFilter& filter, const std::string& text);
// The SELECT for a filter and the values for its ?s.
std::string filter_sql(const ResultFilter& filter, std::vector<std::string>& values);

}  // namespace remixer::coordinator::command
