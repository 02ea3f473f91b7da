// Which patches a model's answer rests on.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "core/models/model.h"

namespace remixer::explain {

// Relevance of every patch for the logit of classes[b], >= 0, on no fixed scale: [B, G, G] with
// G = model.grid(), float. One pass and its gradients for the whole batch; images do not see each
// other. Arguments as Model::forward takes them; classes [B] int64.
//
// With attention, the generic method of Chefer, Gur and Wolf (2021): R = I, and block by block
// R += mean_heads(relu(∇A ⊙ A)) R, A the attention after ReMixer's mask; the answer is [CLS]'s row.
// [CLS] joins ConViT's R where it joins the tokens. Without attention, gradient-weighted
// activations (Grad-CAM) of the last block's patches: relu(Σ_c mean_patches(∇) ⊙ activation).
//
// Throws InputError where the model leaves neither (an extension that fills no trace), and as
// Model::forward does.
at::Tensor relevance(models::Model& model, const at::Tensor& images,
                     const std::optional<at::Tensor>& distance, const at::Tensor& classes);

}  // namespace remixer::explain
