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
  int64_t filled = 0;  // tasks whose results came from another database
  uintmax_t bytes = 0;
};

// Writes `to`: of the database `from` these grids (by number) with their cells, and the tasks that
// these need; of a task's attempts the one that was committed. What is not finished there is taken
// from the databases `others`, the first that has it: a study that ran in several workspaces
// becomes one. Machines are called host-1, host-2, ...; a worker's environment keeps versions,
// processor, memory and GPUs, and loses settings and folders. All are read by the same programs.
// Reads `from` and `others` as back_up does; `to` must not exist and appears whole. Throws
// InputError as back_up, and where one of `others` has another schema; Error where it cannot be
// written.
CompactSummary write_compact(const std::filesystem::path& from, const std::filesystem::path& to,
                             const std::vector<int64_t>& grids,
                             const std::vector<std::filesystem::path>& others = {});

}  // namespace remixer::coordinator
