#include "core/training/ema.h"

#include <ATen/core/grad_mode.h>

namespace remixer::training {

MovingAverage::MovingAverage(const models::Model& model, double decay)
    : model_(model), decay_(decay) {
  at::NoGradGuard no_grad;
  for (const auto* list : {&model.parameters(), &model.buffers()}) {
    for (const auto& [name, tensor] : *list) tensors_.emplace_back(name, tensor.detach().clone());
  }
}

void MovingAverage::update() {
  at::NoGradGuard no_grad;
  size_t next = 0;
  for (const auto* list : {&model_.parameters(), &model_.buffers()}) {
    for (const auto& [name, tensor] : *list) {
      at::Tensor& average = tensors_[next++].second;
      if (average.is_floating_point()) {
        average.lerp_(tensor, 1 - decay_);
      } else {
        average.copy_(tensor);
      }
    }
  }
}

void MovingAverage::copy_to(models::Model& model) const {
  at::NoGradGuard no_grad;
  size_t next = 0;
  for (const auto* list : {&model.parameters(), &model.buffers()}) {
    for (const auto& [name, tensor] : *list) tensor.copy_(tensors_[next++].second);
  }
}

}  // namespace remixer::training
