// SPDX-License-Identifier: Apache-2.0
// Workspace and database belong together: both carry one id. Run folders that the database does not
// know would else look like garbage, and results that have no files like finished ones.
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

// Proves that the database is this workspace's; where neither has an id yet, gives both one. Throws
// InputError, having changed nothing, where they do not belong together: another id, run folders of
// which an empty database knows nothing, or a workspace that has lost all that the database knows.
// The message says what to do. `adopt`: an empty database is made the workspace's own whatever the
// workspace holds.
void pair_workspace(const std::filesystem::path& workspace, const std::filesystem::path& database,
                    Store& store, const State& state, bool adopt);

// The highest number of an attempt's folder, by task; only tasks of `wanted` that have one (all
// tasks where it is null). Lists the workspace's runs/.
using Wanted = std::function<bool(const std::string& task_id)>;
std::map<std::string, int64_t> attempt_folders(const std::filesystem::path& workspace,
                                               const Wanted& wanted);

// Whether `name` has the form of a task's id, as the folders of runs/ are named.
bool is_task_id(const std::string& name);

}  // namespace remixer::coordinator
