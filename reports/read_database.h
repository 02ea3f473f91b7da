// SPDX-License-Identifier: Apache-2.0
// Opens a workspace's database read-only.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace SQLite {
class Database;
}

namespace remixer::reports {

// Waits up to 5 s for a writer. If the folder can't be written (a read-only medium, another
// user's) and no daemon left a -wal file with changes, the file is read as is. Throws
// InputError if there is no database or such changes can't be read, SQLite::Exception for other
// errors.
std::unique_ptr<SQLite::Database> open_for_reading(const std::filesystem::path& file);

// Names of all submitted grids, sorted, each once.
std::vector<std::string> grid_names(const SQLite::Database& database);

}  // namespace remixer::reports
