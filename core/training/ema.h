// SPDX-License-Identifier: Apache-2.0
// Exponential moving average of a model's weights.
#pragma once

#include "core/training/weights_copy.h"

namespace remixer::training {

// After each step e ← decay · e + (1 − decay) · p, over parameters and floating-point buffers;
// other buffers are copied. Starts at the model's values. One thread at a time.
class MovingAverage {
 public:
  // Keeps a reference to the model, which must outlive it.
  MovingAverage(const models::Model& model, double decay) : average_(model), decay_(decay) {}

  void update() { average_.approach(1 - decay_); }
  const WeightsCopy& weights() const { return average_; }

 private:
  WeightsCopy average_;
  double decay_;
};

}  // namespace remixer::training
