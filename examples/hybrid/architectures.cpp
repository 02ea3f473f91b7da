// SPDX-License-Identifier: Apache-2.0
// What grids and reports know of the example: its names, sizes and version.
#include "experiments/spec/architectures.h"

namespace remixer::extensions::hybrid {

std::vector<experiments::Architecture> architectures() {
  return {{.name = "hybrid_nano_patch4_32",
           .family = "hybrid",
           .image_size = 32,
           .patch = 4,
           .version = 1,
           .dim = 64,
           .depth = 4,
           .heads = 4,
           .qkv_bias = true,
           .kernel = 3}};
}

}  // namespace remixer::extensions::hybrid
