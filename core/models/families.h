// SPDX-License-Identifier: Apache-2.0
// Factories of the model families, called by create_model; without a seed, create_model_to_load.
// `spec` has been checked against `architecture`.
#pragma once

#include <memory>
#include <optional>

#include "core/models/model.h"
#include "experiments/spec/architectures.h"

namespace remixer::models {

using experiments::Architecture;

// local_blocks: how many of the first blocks have gated positional attention; 0 is DeiT.
std::unique_ptr<Model> make_vision_transformer(const ModelSpec& spec,
                                               const Architecture& architecture,
                                               int64_t local_blocks, std::optional<uint64_t> seed);
std::unique_ptr<Model> make_mlp_mixer(const ModelSpec& spec, const Architecture& architecture,
                                      std::optional<uint64_t> seed);
std::unique_ptr<Model> make_conv_mixer(const ModelSpec& spec, const Architecture& architecture,
                                       std::optional<uint64_t> seed);
// From an extension's family (docs/extending.md); null if none has that name.
std::unique_ptr<Model> make_extension(const ModelSpec& spec, const Architecture& architecture,
                                      std::optional<uint64_t> seed);

}  // namespace remixer::models
