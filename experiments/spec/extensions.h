// SPDX-License-Identifier: Apache-2.0
// Architectures of extensions: folders that the build is given (REMIXER_EXTENSIONS), see
// docs/extending.md.
#pragma once

#include <vector>

#include "experiments/spec/architectures.h"

namespace remixer::experiments {

// Appends what every extension of this build describes. Made by CMake from the list of folders.
void describe_extensions(std::vector<Architecture>& architectures);

}  // namespace remixer::experiments
