// SPDX-License-Identifier: Apache-2.0
#include "core/training/weights_copy.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>

#include "core/models/weights.h"

namespace remixer::training {

WeightsCopy::WeightsCopy(const models::Model& model) : model_(model) {
  const at::NoGradGuard no_grad;
  for (const auto* list : {&model.parameters(), &model.buffers()}) {
    for (const auto& [name, tensor] : *list) tensors_.emplace_back(name, tensor.detach().clone());
  }
}

void WeightsCopy::take() {
  approach(1);
}

void WeightsCopy::approach(double fraction) {
  const at::NoGradGuard no_grad;
  // On a GPU: a few kernel launches in total, instead of one per tensor.
  std::vector<at::Tensor> moved, towards, replaced, by;
  size_t next = 0;
  for (const auto* list : {&model_.parameters(), &model_.buffers()}) {
    for (const auto& [name, tensor] : *list) {
      const at::Tensor& copy = tensors_[next++].second;
      const bool moves = fraction < 1 && copy.is_floating_point();
      (moves ? moved : replaced).push_back(copy);
      (moves ? towards : by).push_back(tensor);
    }
  }
  if (!moved.empty()) at::_foreach_lerp_(moved, towards, fraction);
  if (!replaced.empty()) at::_foreach_copy_(replaced, by);
}

void WeightsCopy::save(const std::filesystem::path& path,
                       const std::map<std::string, std::string>& metadata) const {
  const at::NoGradGuard no_grad;
  // The same file format with these values.
  const auto model = models::create_model_to_load(model_.spec());
  size_t next = 0;
  for (const auto* list : {&model->parameters(), &model->buffers()}) {
    for (const auto& [name, tensor] : *list) tensor.copy_(tensors_[next++].second);
  }
  models::save_weights(*model, path, metadata);
}

}  // namespace remixer::training
