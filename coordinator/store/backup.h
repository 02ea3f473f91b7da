// SPDX-License-Identifier: Apache-2.0
// Backs up a database that another process may be writing to.
#pragma once

#include <cstdint>
#include <filesystem>

namespace remixer::coordinator {

struct BackupSummary {
  int64_t grids = 0, tasks = 0, results = 0;
  uintmax_t bytes = 0;
};

// Copies what is committed at this moment; reads only, and holds the writer up in nothing. The copy
// is checked and appears whole, by write, fsync, rename. Throws InputError where `to` exists or
// `from` is not ours, Error where it cannot be written.
BackupSummary back_up(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace remixer::coordinator
