// SPDX-License-Identifier: Apache-2.0
// A finished result on disk: result.json in the attempt's folder.
#pragma once

#include <filesystem>
#include <optional>

#include "experiments/protocol/messages.h"

namespace remixer::experiments::protocol {

// Writes the file atomically.
void write_kept_result(const std::filesystem::path& folder, const AttemptResult& result);

// The attempt's result; nothing if there is none or it is not finished. Throws if the file cannot
// be read or is not a result.
std::optional<AttemptResult> read_kept_result(const std::filesystem::path& folder);

}  // namespace remixer::experiments::protocol
