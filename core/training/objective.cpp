// SPDX-License-Identifier: Apache-2.0
#include "core/training/objective.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "base/random.h"
#include "core/kernels/operators.h"
#include "core/training/mixup.h"
#include "core/training/precision.h"
#include "core/training/token_labeling.h"

namespace remixer::training {

std::optional<at::Tensor> mask_distance(const experiments::Cell& cell,
                                        const at::Tensor& patch_labels) {
  if (!cell.is_remixer()) return std::nullopt;
  at::NoGradGuard no_grad;
  return kernels::label_distance(patch_labels, cell.distance);
}

at::Tensor ranked_logits(const experiments::Cell& cell, models::Model& model, const Batch& batch) {
  const at::NoGradGuard no_grad;
  const auto distance = mask_distance(cell, batch.patch_labels);
  if (cell.recipe.token_labeling == "original") {
    return with_token_vote(model.forward_with_tokens(batch.images, distance, {}));
  }
  return model.forward(batch.images, distance, {});
}

Objective::Objective(const experiments::Cell& cell, models::Model& model, at::Device device,
                     at::ScalarType type)
    : cell_(cell), model_(model), device_(device), type_(type) {}

Objective::Inputs Objective::inputs(Batch batch, int64_t step, int64_t shard) const {
  batch = to_device(std::move(batch), device_);
  Random mix_random(static_cast<uint64_t>(cell_.seed), RandomPurpose::kMix,
                    static_cast<uint64_t>(step), static_cast<uint64_t>(shard));
  const bool original = cell_.recipe.token_labeling == "original";
  const int64_t size = batch.images.size(2);
  const int64_t channels = batch.patch_labels.defined() ? batch.patch_labels.size(2) : 0;
  const int64_t cells = box_cells(cell_.recipe, size, model_.grid(), channels);
  const Mix mix = original ? draw_mix_token(size, model_.grid(), mix_random)
                           : draw_mix(cell_.recipe, size, cells, mix_random);
  at::Tensor pooled;
  if (original) pooled = pooled_targets(batch.patch_labels);
  Inputs inputs;
  inputs.targets = apply_mix(mix, batch, model_.grid(), model_.spec().num_classes,
                             cell_.recipe.label_smoothing, label_mix(cell_.recipe));
  if (original) inputs.targets = mix_targets(mix, pooled);
  inputs.images = batch.images;
  if (model_.spec().token_classes > 0) inputs.token_targets = batch.patch_labels;
  inputs.distance = mask_distance(cell_, batch.patch_labels).value_or(at::Tensor());
  return inputs;
}

at::Tensor Objective::loss(const Inputs& inputs, const models::ForwardMode& mode) const {
  const auto distance = inputs.distance.defined() ? std::optional(inputs.distance) : std::nullopt;
  models::Outputs outputs;
  {
    const Autocast autocast(device_, type_);
    if (model_.spec().token_classes > 0) {
      outputs = model_.forward_with_tokens(inputs.images, distance, mode);
      outputs.token_logits = outputs.token_logits.to(at::kFloat);
    } else {
      outputs.logits = model_.forward(inputs.images, distance, mode);
    }
    outputs.logits = outputs.logits.to(at::kFloat);
  }
  if (!outputs.token_logits.defined()) return soft_cross_entropy(outputs.logits, inputs.targets);
  return token_labeling_loss(outputs, inputs.targets, inputs.token_targets,
                             token_weight(cell_.recipe));
}

Random Objective::path_random(int64_t step, int64_t shard) const {
  return {static_cast<uint64_t>(cell_.seed), RandomPurpose::kDropPath, static_cast<uint64_t>(step),
          static_cast<uint64_t>(shard)};
}

at::Tensor Objective::loss(const Inputs& inputs, int64_t step, int64_t shard) const {
  Random random = path_random(step, shard);
  return loss(inputs, {.training = true, .update_running_stats = shard == 0, .random = &random});
}

at::Tensor Objective::operator()(Batch batch, int64_t step, int64_t shard) const {
  return loss(inputs(std::move(batch), step, shard), step, shard);
}

double Objective::guessing_loss() const {
  const auto log = [](int64_t classes) { return std::log(static_cast<double>(classes)); };
  const models::ModelSpec& spec = model_.spec();
  return log(std::max<int64_t>(2, spec.num_classes)) +
         (spec.token_classes > 0 ? token_weight(cell_.recipe) * log(spec.token_classes) : 0);
}

}  // namespace remixer::training
