// SPDX-License-Identifier: Apache-2.0
// Sample order: which samples each step and shard reads.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/loading/loader.h"
#include "experiments/spec/recipe.h"

namespace remixer::training {

// The order in which an epoch visits a split of `count` samples: a permutation that depends on seed
// and epoch alone.
std::vector<int64_t> epoch_order(uint64_t seed, int64_t epoch, int64_t count);

// A run's shards. A global batch is `shards` shards of `shard_size` consecutive positions of the
// epoch's order; the rest at an epoch's end is dropped. Each draw is keyed by seed, epoch and
// position, never by the rank or thread that asks. Thread-safe.
//
// Repeated augmentation works as in DeiT's RASampler: each sample occurs `repeated_augmentation`
// times in a row in the order, and shards take positions in turn, so that a sample's copies in one
// step go to different shards. An epoch ends after as many images as the split has, rounded down to
// a multiple of 256 (not rounded if the split has fewer).
class TrainingPlan {
 public:
  // Throws InputError if `count` samples do not fill one global batch.
  TrainingPlan(const experiments::Recipe& recipe, uint64_t seed, int64_t count);

  int64_t steps_per_epoch() const { return steps_per_epoch_; }
  int64_t total_steps() const { return steps_per_epoch_ * recipe_.epochs; }
  // The draws of one shard of the 0-based step.
  std::vector<Draw> shard(int64_t step, int64_t shard) const;

 private:
  std::shared_ptr<const std::vector<int64_t>> order(int64_t epoch) const;

  experiments::Recipe recipe_;
  uint64_t seed_;
  int64_t count_, steps_per_epoch_;
  // The last order requested: loaders ask in step order.
  mutable std::mutex mutex_;
  mutable int64_t cached_epoch_ = -1;
  mutable std::shared_ptr<const std::vector<int64_t>> cached_order_;
};

}  // namespace remixer::training
