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

// Copies the data committed at this moment; reads only, and never blocks the writer. The copy is
// checked and appears atomically, by write, fsync, rename. Throws InputError if `to` exists or
// `from` is not a database of this program, Error if it cannot be written.
BackupSummary back_up(const std::filesystem::path& from, const std::filesystem::path& to);

// Writes the database `to`: `fill` gets a copy of the data committed in `from` at this moment and
// may change it. On return `to` is one checked file without -wal or -shm files. It appears
// atomically; its size in bytes is returned. `doing` begins the message if SQLite fails. Throws as
// back_up.
uintmax_t write_copy(const std::filesystem::path& from, const std::filesystem::path& to,
                     const std::string& doing, const std::function<void(SQLite::Database&)>& fill);

}  // namespace remixer::coordinator
