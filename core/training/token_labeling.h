// SPDX-License-Identifier: Apache-2.0
// TokenLabeling (Jiang et al. 2021): every patch is classified too, its labels being the target.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/models/model.h"
#include "experiments/spec/cell.h"

namespace remixer::training {

// Classes of the extra head that a cell trains: the channels of its patch labels, or 0 where the
// recipe has no token_labeling. Throws InputError where the labels do not say classes (fewer than
// two channels), or where the recipe wants those of the dataset and they are others.
int64_t token_classes(const experiments::Cell& cell, int64_t label_channels, int64_t num_classes);

// The weight of the patches' loss that a recipe with token_labeling means.
double token_weight(const experiments::Recipe& recipe);

// The image's target that TokenLabeling takes from its patches' labels [B, N, K] → [B, K]: the
// labels of all places pooled before their softmax. Logits are averages over equal areas, so those
// of the whole are the mean of the patches', and a patch's labels give its logits but for a
// constant.
at::Tensor pooled_targets(const at::Tensor& patch_labels);

// class + weight · token, with class = mean over B of −Σ_c targets · log softmax(logits), and token
// the same mean over all B · N patches. targets [B, num_classes], token_targets [B, N,
// token_classes]; float32.
at::Tensor token_labeling_loss(const models::Outputs& outputs, const at::Tensor& targets,
                               const at::Tensor& token_targets, double weight);

// What TokenLabeling's own evaluation ranks: logits + max over patches of token_logits / 2.
at::Tensor with_token_vote(const models::Outputs& outputs);

}  // namespace remixer::training
