// SPDX-License-Identifier: Apache-2.0
// The predictions that evaluations stored, as right or wrong by image.
#pragma once

#include <filesystem>

#include "reports/compare.h"

namespace remixer::reports {

// Reads files below `workspace`, each once. A file that is missing, torn, or does not say all that
// counts as right gives nothing: `remixer report --check` is who names it. Not thread-safe.
ReadCorrect stored_answers(const std::filesystem::path& workspace);

}  // namespace remixer::reports
