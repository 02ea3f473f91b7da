// SPDX-License-Identifier: Apache-2.0
// Computes which patches an answer of the model depends on.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "core/models/model.h"

namespace remixer::explain {

struct Relevance {
  at::Tensor patches;              // [B, G, G] with G = model.grid(), float, >= 0
  bool through_attention = false;  // else by the last block's activations
};

// Relevance of every patch for the logit of classes[b], on no fixed scale. One pass and its
// gradients for the whole batch; images do not see each other. Arguments as Model::forward takes
// them; classes [B] int64.
//
// With attention, the generic method of Chefer, Gur and Wolf (2021): R = I, and block by block
// R += mean_heads(relu(∇A ⊙ A)) R, A the attention after ReMixer's mask; the answer is [CLS]'s row.
// [CLS] joins ConViT's R where it joins the tokens. Without attention, gradient-weighted
// activations (Grad-CAM) of the last block's patches: relu(Σ_c mean_patches(∇) ⊙ activation).
//
// Throws InputError where the model leaves neither (an extension that fills no trace), and as
// Model::forward does.
Relevance relevance(models::Model& model, const at::Tensor& images,
                    const std::optional<at::Tensor>& distance, const at::Tensor& classes);

}  // namespace remixer::explain
