// SPDX-License-Identifier: Apache-2.0
// The models once more, in plain double loops, one image at a time, from the papers' formulas.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>

#include "core/models/model.h"

namespace remixer::testing {

// Logits [B, classes] in double, in evaluation mode, from the model's parameters by name.
at::Tensor plain_logits(const models::Model& model, const at::Tensor& images,
                        const std::optional<at::Tensor>& distance);

// A model with every parameter and buffer drawn at random (κ in [0.3, 0.9], variances in [0.5, 2]),
// so that nothing is 0 or 1 by its initialisation; in double.
std::unique_ptr<models::Model> random_model(const models::ModelSpec& spec);

// Nano sizes over an image of 12 pixels: 9 patches, 5 classes.
models::ModelSpec small_spec(const std::string& architecture, bool remixer,
                             const std::string& spatial_prior = "none");

}  // namespace remixer::testing
