// SPDX-License-Identifier: Apache-2.0
// Finished results that the daemon has not acknowledged yet, safe on disk: a result is sent again,
// its task not run again, when the daemon was away or the worker was killed while sending.
#pragma once

#include <filesystem>
#include <optional>

#include "experiments/protocol/messages.h"

namespace remixer::worker {

// The newest result that an earlier attempt of the task has finished and that can be believed: it
// is the task's, it has nothing to publish (its files would belong to that attempt's folder), it is
// not older than the task's last queueing (results_from), and every file that it names is there
// with the SHA-256 that it says. Others are passed over, and the log says why.
std::optional<experiments::protocol::AttemptResult> earlier_result(
    const std::filesystem::path& workspace, const experiments::protocol::Assignment& assignment);

}  // namespace remixer::worker
