// The three families behind create_model; without a seed, behind create_model_to_load. `spec` has
// been checked against `architecture`.
#pragma once

#include <memory>
#include <optional>

#include "core/models/model.h"
#include "core/models/registry.h"

namespace remixer::models {

// local_blocks: how many of the first blocks have gated positional attention; 0 is DeiT.
std::unique_ptr<Model> make_vision_transformer(const ModelSpec& spec,
                                               const Architecture& architecture,
                                               int64_t local_blocks, std::optional<uint64_t> seed);
std::unique_ptr<Model> make_mlp_mixer(const ModelSpec& spec, const Architecture& architecture,
                                      std::optional<uint64_t> seed);
std::unique_ptr<Model> make_conv_mixer(const ModelSpec& spec, const Architecture& architecture,
                                       std::optional<uint64_t> seed);

}  // namespace remixer::models
