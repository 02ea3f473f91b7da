// SPDX-License-Identifier: Apache-2.0
// Writes a database to keep or to share: results of some grids, without the data needed to run them
// and without the names of their machines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace remixer::coordinator {

// The workspace id in such a database. No daemon accepts it, since the files that its tasks made
// are missing.
inline constexpr const char* kExportedWorkspace = "exported";

// Whether write_compact() wrote this file. Changes nothing; false if there is no such database.
bool is_export(const std::filesystem::path& database);

struct CompactSummary {
  int64_t grids = 0, cells = 0, results = 0;
  int64_t filled = 0;  // tasks with results from another database
  uintmax_t bytes = 0;
};

// Writes `to`: these grids (by number) of the database `from` with their cells, and the tasks that
// those need; of a task's attempts only the committed one. Unfinished tasks are taken from the
// databases `others`, from the first that has finished them: a study that ran in several workspaces
// becomes one. Machines are renamed host-1, host-2, ...; a worker's environment keeps its versions,
// processor, memory and GPUs, and loses its settings and folders. The same programs can read the
// result. Reads `from` and `others` as back_up does; `to` must not exist and appears atomically.
// Throws InputError as back_up, and if one of `others` has another schema; Error if it cannot be
// written.
CompactSummary write_compact(const std::filesystem::path& from, const std::filesystem::path& to,
                             const std::vector<int64_t>& grids,
                             const std::vector<std::filesystem::path>& others = {});

}  // namespace remixer::coordinator
