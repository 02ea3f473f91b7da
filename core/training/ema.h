// An exponential moving average of a model's weights.
#pragma once

#include <vector>

#include "core/models/model.h"

namespace remixer::training {

// After each step e ← decay · e + (1 − decay) · p, over parameters and floating-point buffers; other
// buffers are copied. Starts at the model's values. One thread at a time.
class MovingAverage {
 public:
  // Keeps a reference to the model, which must outlive it.
  MovingAverage(const models::Model& model, double decay);

  void update();
  // The averages, under the names of the model's parameters and buffers; the object's own tensors.
  const std::vector<models::Model::NamedTensor>& tensors() const { return tensors_; }
  // Sets another model of the same spec to the averages.
  void copy_to(models::Model& model) const;

 private:
  const models::Model& model_;
  double decay_;
  std::vector<models::Model::NamedTensor> tensors_;
};

}  // namespace remixer::training
