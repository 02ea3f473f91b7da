// SPDX-License-Identifier: Apache-2.0
// A finished result as its worker keeps it on the disk: <attempt's folder>/result.json.
#pragma once

#include <filesystem>
#include <optional>

#include "experiments/protocol/messages.h"

namespace remixer::experiments::protocol {

// Writes the file so that it appears whole.
void write_kept_result(const std::filesystem::path& folder, const AttemptResult& result);

// The attempt's result; nothing where there is none, or none that is finished. Throws where the
// file cannot be read or is not a result.
std::optional<AttemptResult> read_kept_result(const std::filesystem::path& folder);

}  // namespace remixer::experiments::protocol
