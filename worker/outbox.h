// SPDX-License-Identifier: Apache-2.0
// Finished results that the daemon has not acknowledged yet, stored on disk. If the daemon was away
// or the worker was killed while sending, the result is sent again instead of rerunning the task.
#pragma once

#include <filesystem>
#include <optional>

#include "experiments/protocol/messages.h"

namespace remixer::worker {

// The newest valid result that an earlier attempt of the task has finished: it belongs to the task,
// has nothing to publish (its files would be in that attempt's folder), is not older than the
// task's last queueing (results_from), and every file that it names exists with the stated SHA-256.
// Others are skipped, and the log says why.
std::optional<experiments::protocol::AttemptResult> earlier_result(
    const std::filesystem::path& workspace, const experiments::protocol::Assignment& assignment);

}  // namespace remixer::worker
