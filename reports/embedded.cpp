// SPDX-License-Identifier: Apache-2.0
#include "reports/embedded.h"

namespace remixer::reports {

// Made by cmake/embed_files.cmake.
extern const Embedded kAssets[];
extern const unsigned kAssetCount;

std::span<const Embedded> embedded_files() {
  return {kAssets, kAssetCount};
}

}  // namespace remixer::reports
