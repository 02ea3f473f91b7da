// SPDX-License-Identifier: Apache-2.0
// Backs up a database that another process may be writing to.
#pragma once

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <filesystem>
#include <functional>

namespace remixer::coordinator {

struct BackupSummary {
  int64_t grids = 0, tasks = 0, results = 0;
  uintmax_t bytes = 0;
};

// Copies what is committed at this moment; reads only, and holds the writer up in nothing. The copy
// is checked and appears whole, by write, fsync, rename. Throws InputError where `to` exists or
// `from` is not ours, Error where it cannot be written.
BackupSummary back_up(const std::filesystem::path& from, const std::filesystem::path& to);

// Writes the database `to`: `fill` is given a copy of what is committed in `from` at this moment,
// to change it as it likes. On return `to` is one checked file without companions. It appears whole
// or not at all; its size in bytes is returned. `doing` begins the message where SQLite fails.
// Throws as back_up.
uintmax_t write_copy(const std::filesystem::path& from, const std::filesystem::path& to,
                     const std::string& doing, const std::function<void(SQLite::Database&)>& fill);

}  // namespace remixer::coordinator
