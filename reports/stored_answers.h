// SPDX-License-Identifier: Apache-2.0
// Loads stored predictions as right or wrong by image.
#pragma once

#include <filesystem>

#include "reports/compare.h"

namespace remixer::reports {

// Reads files below `workspace`, each once. A file that is missing, torn, or does not list all
// right answers gives nothing; `remixer report --check` reports it. Not thread-safe.
ReadCorrect stored_answers(const std::filesystem::path& workspace);

}  // namespace remixer::reports
