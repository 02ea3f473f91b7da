// SPDX-License-Identifier: Apache-2.0
#include "core/training/token_labeling.h"

#include <ATen/ops/amax.h>

#include "base/error.h"
#include "core/training/mixup.h"

namespace remixer::training {

int64_t token_classes(const experiments::Cell& cell, int64_t label_channels, int64_t num_classes) {
  const std::string& kind = cell.recipe.token_labeling;
  if (kind == "none") return 0;
  if (label_channels < 2) {
    fail_input(
        "cell {} has token_labeling, but the labels of labeler {} say no classes: use relabel",
        cell.id(), cell.labeler_name);
  }
  if (kind == "original" && label_channels != num_classes) {
    fail_input(
        "cell {} has token_labeling 'original', which needs labels of the dataset's {} classes, "
        "but "
        "labeler {} says {}: use token_labeling 'oamixer', or another labeler",
        cell.id(), num_classes, cell.labeler_name, label_channels);
  }
  return label_channels;
}

double token_weight(const experiments::Recipe& recipe) {
  return recipe.token_weight.value_or(recipe.token_labeling == "original" ? 1.0 : 0.5);
}

at::Tensor pooled_targets(const at::Tensor& patch_labels) {
  return logits_of(patch_labels).mean(1).softmax(-1);
}

at::Tensor token_labeling_loss(const models::Outputs& outputs, const at::Tensor& targets,
                               const at::Tensor& token_targets, double weight) {
  return soft_cross_entropy(outputs.logits, targets) +
         weight *
             soft_cross_entropy(outputs.token_logits.flatten(0, 1), token_targets.flatten(0, 1));
}

at::Tensor with_token_vote(const models::Outputs& outputs) {
  return outputs.logits + outputs.token_logits.amax(1) / 2;
}

}  // namespace remixer::training
