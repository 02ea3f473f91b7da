// SPDX-License-Identifier: Apache-2.0
// Pairs a workspace with its database by an id in both. With the wrong database, run folders would
// look like garbage, and results without files like finished ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "coordinator/scheduler/state.h"
#include "coordinator/store/store.h"

namespace remixer::coordinator {

// <workspace>/workspace.json: {"id": "..."}
std::filesystem::path workspace_id_file(const std::filesystem::path& workspace);

// Checks that the database is this workspace's; if an id is missing in one or both, gives both the
// same. Throws InputError, having changed nothing, if they do not belong together: different ids,
// run folders of which the database knows none, or a workspace that has lost all that it knows.
// The message says what to do. `adopt`: an empty database is paired with the workspace whatever the
// workspace holds.
void pair_workspace(const std::filesystem::path& workspace, const std::filesystem::path& database,
                    Store& store, const State& state, bool adopt);

// Throws InputError if the database was written by `remixer export`: nothing can be run there.
// Changes nothing, so that a daemon can ask before it writes.
void refuse_export(const std::filesystem::path& workspace, const std::filesystem::path& database);

// The highest number of an attempt's folder, by task; only for tasks of `wanted` that have one (all
// tasks if it is null). Lists the workspace's runs/.
using Wanted = std::function<bool(const std::string& task_id)>;
std::map<std::string, int64_t> attempt_folders(const std::filesystem::path& workspace,
                                               const Wanted& wanted);

// Whether `name` has the form of a task id, like the names of the folders in runs/.
bool is_task_id(const std::string& name);

}  // namespace remixer::coordinator
