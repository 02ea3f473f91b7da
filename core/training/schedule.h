// SPDX-License-Identifier: Apache-2.0
// The learning rate over a run: linear warm-up, then cosine decay.
#pragma once

#include <cstdint>

#include "experiments/spec/recipe.h"

namespace remixer::training {

// Immutable; thread-safe.
//
// With t the time in epochs, w = warmup_epochs, E = epochs and r the recipe's rate:
//   t < w:  rate(t) = warmup_rate + (r − warmup_rate) · t / w
//   else:   rate(t) = min_rate + (r − min_rate) · (1 + cos(π · t / E)) / 2
// The cosine counts from the run's start, so warm-up cuts its first part off. With schedule_unit
// "epoch" t is the epoch's number, from 0, set when the epoch starts; with "step" it is
// step / steps_per_epoch. With "released" it is the number of the epoch before, as in DeiT's code,
// which moves the rate after an epoch, by that epoch's own number: epochs 0 and 1 both run at
// warmup_rate.
class Schedule {
 public:
  Schedule(const experiments::Recipe& recipe, int64_t steps_per_epoch);

  // The model's rate for the 0-based optimiser step.
  double rate(int64_t step) const;
  // κ's rate for the same step: kappa_lr, where the recipe has one, in the curve's proportion
  // rate / base_rate; else the model's rate.
  double kappa_rate(int64_t step) const;
  // The model's rate at the curve's top.
  double base_rate() const { return base_rate_; }

 private:
  double epochs_at(int64_t step) const;  // t

  experiments::Recipe recipe_;
  int64_t steps_per_epoch_;
  double base_rate_;
};

}  // namespace remixer::training
