// SPDX-License-Identifier: Apache-2.0
// Registry of the architectures that a grid can name: the only place that defines a name, with all
// that the grid, the models and `remixer model list` need. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace remixer::experiments {

struct Architecture {
  std::string name;
  // Code that builds it: "deit", "convit", "mixer", "convmixer", or an extension's own
  // (core/models/families.h, docs/extending.md).
  std::string family;
  int64_t image_size = 0;  // pixels a side, unless the dataset has another size
  int64_t patch = 0;       // pixels a side
  // Version of the name's meaning: raised when code changes the results of its cells.
  int64_t version = 1;
  int64_t dim = 0;    // channels of a token
  int64_t depth = 0;  // blocks

  // Transformers.
  int64_t heads = 0;
  bool qkv_bias = false;
  // Blocks with gated positional attention: in the model itself, and with spatial_prior "convit"
  // (0: not supported).
  int64_t local_blocks = 0, prior_local_blocks = 0;

  // ConvMixer: the kernel's side; one kernel for all channels; ReLU in place of GELU.
  int64_t kernel = 0;
  bool shared_kernel = false, relu = false;

  // True if a grid may give it the spatial prior: gated positional attention replaces the attention
  // of a DeiT's first blocks.
  bool takes_convit() const { return prior_local_blocks > 0 && local_blocks == 0; }
};

// The built-in ones by family and size, then those of extensions. Throws InputError if an extension
// uses an existing name or describes an impossible architecture.
const std::vector<Architecture>& architectures();

// Throws InputError with a suggestion if the name is unknown.
const Architecture& find_architecture(std::string_view name);

}  // namespace remixer::experiments
