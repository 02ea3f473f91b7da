// SPDX-License-Identifier: Apache-2.0
// A database to keep or to share: what came of some grids, without what runs them and without
// whose machines they ran on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace remixer::coordinator {

// The workspace's id in such a database: no daemon takes it up, since what its tasks made is not
// there.
inline constexpr const char* kExportedWorkspace = "exported";

struct CompactSummary {
  int64_t grids = 0, cells = 0, results = 0;
  uintmax_t bytes = 0;
};

// Writes `to`: of the database `from` these grids (by number) with their cells, and the tasks that
// these need; of a task's attempts the one that was committed. Machines are called host-1, host-2,
// ...; a worker's environment keeps versions, processor, memory and GPUs, and loses settings and
// folders. Both are read by the same programs. Reads `from` as back_up does; `to` must not exist
// and appears whole. Throws InputError as back_up, Error where it cannot be written.
CompactSummary write_compact(const std::filesystem::path& from, const std::filesystem::path& to,
                             const std::vector<int64_t>& grids);

}  // namespace remixer::coordinator
