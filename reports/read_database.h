// SPDX-License-Identifier: Apache-2.0
// Opens a workspace's database read-only.
#pragma once

#include <filesystem>
#include <memory>

namespace SQLite {
class Database;
}

namespace remixer::reports {

// Waits up to 5 s for a writer. Where the folder can't be written (a read-only medium, another
// user's) and no daemon left a -wal file with changes of its own, the file is read as it is. Throws
// InputError where there is no database or such changes can't be read, SQLite::Exception for the
// rest.
std::unique_ptr<SQLite::Database> open_for_reading(const std::filesystem::path& file);

}  // namespace remixer::reports
