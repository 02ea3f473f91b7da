// The geometry of every architecture that create_model knows: a table.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace remixer::models {

enum class Family { kVisionTransformer, kMlpMixer, kConvMixer };

struct Architecture {
  std::string_view name;
  Family family;
  int64_t image_size;  // unless the caller says otherwise
  int64_t patch;       // pixels along a patch's side
  int64_t dim;         // channels of a token
  int64_t depth;       // blocks
  // Transformers.
  int64_t heads = 0;
  bool qkv_bias = false;
  // Blocks with gated positional attention: of the model itself, and with spatial_prior "convit"
  // (0: it takes none).
  int64_t local_blocks = 0, prior_local_blocks = 0;
  // ConvMixer: kernel's side; one kernel for all channels.
  int64_t kernel = 0;
  bool shared_kernel = false;
};

// By name.
const std::vector<Architecture>& architectures();

// Throws InputError with the names that are close where there is none of this name.
const Architecture& find_architecture(std::string_view name);

}  // namespace remixer::models
