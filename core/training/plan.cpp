// SPDX-License-Identifier: Apache-2.0
#include "core/training/plan.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace remixer::training {

std::vector<int64_t> epoch_order(uint64_t seed, int64_t epoch, int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  Random random(seed, RandomPurpose::kOrder, static_cast<uint64_t>(epoch));
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

TrainingPlan::TrainingPlan(const experiments::Recipe& recipe, uint64_t seed, int64_t count)
    : recipe_(recipe), seed_(seed), count_(count) {
  const int64_t global_batch = recipe.shards * recipe.shard_size;
  steps_per_epoch_ = experiments::epoch_images(recipe, count) / global_batch;
  if (steps_per_epoch_ == 0) {
    fail_input(
        "the training split has {} images, fewer than one global batch of {} shards of {}; "
        "lower the recipe's shard_size",
        count, recipe.shards, recipe.shard_size);
  }
}

std::vector<Draw> TrainingPlan::shard(int64_t step, int64_t shard) const {
  assert(step >= 0 && shard >= 0 && shard < recipe_.shards);
  const int64_t epoch = step / steps_per_epoch_, step_of_epoch = step % steps_per_epoch_;
  const int64_t repeats = recipe_.repeated_augmentation;
  const auto samples = order(epoch);
  std::vector<Draw> draws(static_cast<size_t>(recipe_.shard_size));
  for (int64_t i = 0; i < recipe_.shard_size; ++i) {
    const int64_t position =
        repeats > 1 ? (step_of_epoch * recipe_.shard_size + i) * recipe_.shards + shard
                    : (step_of_epoch * recipe_.shards + shard) * recipe_.shard_size + i;
    Draw& draw = draws[static_cast<size_t>(i)];
    draw.sample = (*samples)[static_cast<size_t>(position / repeats)];
    draw.random.emplace(seed_, RandomPurpose::kAugment, static_cast<uint64_t>(epoch),
                        static_cast<uint64_t>(position));
    draw.mirrored = draw.random->uniform() < recipe_.horizontal_flip;
  }
  return draws;
}

std::shared_ptr<const std::vector<int64_t>> TrainingPlan::order(int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  if (cached_epoch_ != epoch) {
    cached_order_ = std::make_shared<const std::vector<int64_t>>(epoch_order(seed_, epoch, count_));
    cached_epoch_ = epoch;
  }
  return cached_order_;
}

}  // namespace remixer::training
