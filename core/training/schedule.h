// SPDX-License-Identifier: Apache-2.0
// Learning rate schedule: linear warm-up, then cosine decay.
#pragma once

#include <cstdint>

#include "experiments/spec/recipe.h"

namespace remixer::training {

// Immutable; thread-safe.
//
// With t the time in epochs, w = warmup_epochs, E = epochs and r the recipe's rate:
//   t < w:  rate(t) = warmup_rate + (r − warmup_rate) · t / w
//   else:   rate(t) = min_rate + (r − min_rate) · (1 + cos(π · t / E)) / 2
// The cosine counts from the run's start, so warm-up replaces its first part. With schedule_unit
// "epoch", t is the epoch's number, from 0, fixed at the epoch's start; with "step" it is
// step / steps_per_epoch. With "released" it is the previous epoch's number, as in DeiT's code,
// which changes the rate after an epoch, by that epoch's own number: epochs 0 and 1 both run at
// warmup_rate.
class Schedule {
 public:
  Schedule(const experiments::Recipe& recipe, int64_t steps_per_epoch);

  // The model's rate for the 0-based optimiser step.
  double rate(int64_t step) const;
  // κ's rate for the same step: kappa_lr · rate / base_rate if the recipe has a kappa_lr; else the
  // model's rate.
  double kappa_rate(int64_t step) const;
  // The model's rate at the schedule's peak.
  double base_rate() const { return base_rate_; }

 private:
  double epochs_at(int64_t step) const;  // t

  experiments::Recipe recipe_;
  int64_t steps_per_epoch_;
  double base_rate_;
};

}  // namespace remixer::training
