// SPDX-License-Identifier: Apache-2.0
// The architectures that a grid can name: the one place where a name is made known, with all that
// the grid, the models and `remixer model list` need to know of it. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace remixer::experiments {

struct Architecture {
  std::string name;
  // Which code builds it: "deit", "convit", "mixer", "convmixer", or an extension's own
  // (core/models/registry.h, docs/extending.md).
  std::string family;
  int64_t image_size = 0;  // pixels a side, unless the dataset says otherwise
  int64_t patch = 0;       // pixels a side
  // Of what the name means: raised when code changes what a cell of this architecture gives.
  int64_t version = 1;
  int64_t dim = 0;    // channels of a token
  int64_t depth = 0;  // blocks

  // Transformers.
  int64_t heads = 0;
  bool qkv_bias = false;
  // Blocks with gated positional attention: of the model itself, and with spatial_prior "convit"
  // (0: it takes none).
  int64_t local_blocks = 0, prior_local_blocks = 0;

  // ConvMixer: the kernel's side; one kernel for all channels; ReLU in GELU's place.
  int64_t kernel = 0;
  bool shared_kernel = false, relu = false;

  // Whether a grid may give it the spatial prior: gated positional attention takes the place of a
  // DeiT's first blocks.
  bool takes_convit() const { return prior_local_blocks > 0 && local_blocks == 0; }
};

// The built-in ones by family and size, then those of extensions. Throws InputError where an
// extension takes a name that is there already, or describes what cannot be.
const std::vector<Architecture>& architectures();

// Throws InputError with a suggestion.
const Architecture& find_architecture(std::string_view name);

}  // namespace remixer::experiments
