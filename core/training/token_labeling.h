// SPDX-License-Identifier: Apache-2.0
// TokenLabeling (Jiang et al. 2021): each patch is also classified, with its labels as the target.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/models/model.h"
#include "experiments/spec/cell.h"

namespace remixer::training {

// Classes of the extra head that a cell trains: the channels of its patch labels, or 0 if the
// recipe has no token_labeling. Throws InputError if the labels are not classes (fewer than two
// channels), or if the recipe wants the dataset's classes and the labels have others.
int64_t token_classes(const experiments::Cell& cell, int64_t label_channels, int64_t num_classes);

// The weight of the patch loss in a recipe with token_labeling.
double token_weight(const experiments::Recipe& recipe);

// The image target that TokenLabeling takes from its patches' labels, [B, N, K] → [B, K]: the patch
// logits averaged, then the softmax. Logits are averages over equal areas, so the whole image's are
// the mean of the patches', and a patch's labels determine its logits up to a constant, which the
// softmax removes.
at::Tensor pooled_targets(const at::Tensor& patch_labels);

// class + weight · token, with class = mean over B of −Σ_c targets · log softmax(logits), and token
// the same mean over all B · N patches. targets [B, num_classes], token_targets [B, N,
// token_classes]; float32.
at::Tensor token_labeling_loss(const models::Outputs& outputs, const at::Tensor& targets,
                               const at::Tensor& token_targets, double weight);

// The scores that TokenLabeling ranks in evaluation: logits + max over patches of token_logits / 2.
at::Tensor with_token_vote(const models::Outputs& outputs);

}  // namespace remixer::training
