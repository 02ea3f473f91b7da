// Finished results that the daemon has not acknowledged yet, safe on disk: a result is sent again,
// its task not run again, when the daemon was away or the worker was killed while sending.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "experiments/protocol/messages.h"

namespace remixer::worker {

// Writes <folder>/result.json, folder being the attempt's own.
void keep_result(const std::filesystem::path& folder,
                 const experiments::protocol::AttemptResult& result);

// The newest finished result in `folders` (attempts of one task, oldest first), if any. A torn or
// foreign file is passed over.
std::optional<experiments::protocol::AttemptResult> kept_result(
    const std::vector<std::filesystem::path>& folders);

}  // namespace remixer::worker
