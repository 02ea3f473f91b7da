// SPDX-License-Identifier: Apache-2.0
// Computes which patches a model's answer depends on.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "core/models/model.h"

namespace remixer::explain {

struct Relevance {
  at::Tensor patches;              // [B, G, G] with G = model.grid(), float, >= 0
  bool through_attention = false;  // else by the last block's activations
};

// Relevance of every patch for the logit of classes[b], on no fixed scale. One forward pass and its
// gradients for the whole batch; images do not affect each other. Arguments as in Model::forward;
// classes [B] int64.
//
// With attention: the generic method of Chefer, Gur and Wolf (2021). R = I, then for each block
// R += mean_heads(relu(∇A ⊙ A)) R, with A the attention after ReMixer's mask; the result is [CLS]'s
// row. In ConViT, [CLS] joins R where it joins the tokens. Without attention: gradient-weighted
// activations (Grad-CAM) of the last block's patches, relu(Σ_c mean_patches(∇) ⊙ activation).
//
// Throws InputError if the model provides neither (an extension that fills no trace), and as
// Model::forward does.
Relevance relevance(models::Model& model, const at::Tensor& images,
                    const std::optional<at::Tensor>& distance, const at::Tensor& classes);

}  // namespace remixer::explain
