// SPDX-License-Identifier: Apache-2.0
#include "core/training/schedule.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace remixer::training {

Schedule::Schedule(const experiments::Recipe& recipe, int64_t steps_per_epoch)
    : recipe_(recipe), steps_per_epoch_(steps_per_epoch), base_rate_(recipe.learning_rate) {
  assert(steps_per_epoch > 0);
  if (recipe.learning_rate_batch > 0) {
    base_rate_ *= static_cast<double>(recipe.shards * recipe.shard_size) /
                  static_cast<double>(recipe.learning_rate_batch);
  }
}

double Schedule::epochs_at(int64_t step) const {
  if (recipe_.schedule_unit == "step") {
    return static_cast<double>(step) / static_cast<double>(steps_per_epoch_);
  }
  const int64_t epoch = step / steps_per_epoch_;
  return static_cast<double>(recipe_.schedule_unit == "released" ? std::max<int64_t>(0, epoch - 1)
                                                                 : epoch);
}

double Schedule::rate(int64_t step) const {
  const double t = epochs_at(step);
  if (t < recipe_.warmup_epochs) {
    return recipe_.warmup_rate + (base_rate_ - recipe_.warmup_rate) * t / recipe_.warmup_epochs;
  }
  const double fraction = t / static_cast<double>(recipe_.epochs);
  return recipe_.min_rate +
         (base_rate_ - recipe_.min_rate) * (1 + std::cos(std::numbers::pi * fraction)) / 2;
}

double Schedule::kappa_rate(int64_t step) const {
  if (!recipe_.kappa_lr) return rate(step);
  return base_rate_ > 0 ? *recipe_.kappa_lr * (rate(step) / base_rate_) : 0;
}

}  // namespace remixer::training
