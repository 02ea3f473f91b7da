// SPDX-License-Identifier: Apache-2.0
// Moves an attempt's data sets and labels to their shared place in the workspace.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "experiments/protocol/messages.h"
#include "experiments/spec/task.h"

namespace remixer::coordinator {

// Renames each publication's `from`, inside the attempt's folder `folder`, to its `to`, below
// datasets/, labels/ or models/. Idempotent after a crash: what already exists at `to` and no
// longer at `from` counts as moved. Checks all before moving any; throws InputError on a path
// outside, Error if the file system refuses.
void publish_all(const std::filesystem::path& workspace, const std::string& folder,
                 const std::vector<experiments::protocol::Publication>& publications);

// True for a path below datasets/, labels/ or models/.
bool published(const std::string& path);

}  // namespace remixer::coordinator
