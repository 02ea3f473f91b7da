// SPDX-License-Identifier: Apache-2.0
// Architectures of extensions, which are folders given to the build (REMIXER_EXTENSIONS); see
// docs/extending.md.
#pragma once

#include <vector>

#include "experiments/spec/architectures.h"

namespace remixer::experiments {

// Appends the architectures of all extensions of this build. CMake generates it from the folders.
void describe_extensions(std::vector<Architecture>& architectures);

}  // namespace remixer::experiments
