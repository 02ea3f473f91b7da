// SPDX-License-Identifier: Apache-2.0
// Data parallelism: assigns shards to ranks and reduces gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "core/distributed/communicator.h"
#include "core/models/model.h"

namespace c10d {
class Reducer;
}

namespace remixer::training {

// Each rank runs `shards_per_rank` whole shards in sequence, starting at `first_shard`; gradients
// are averaged over all shards, for any number of ranks. Shard 0, whose batch statistics update the
// running averages, belongs to rank 0. One thread at a time; all ranks in step.
class DataParallel {
 public:
  // Collective: broadcasts rank 0's parameters and buffers. Model and communicator must outlive the
  // object. Throws InputError if `shards` cannot be divided among the ranks.
  DataParallel(models::Model& model, Communicator& communicator, int64_t shards);
  ~DataParallel();
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  int64_t shards_per_rank() const { return shards_per_rank_; }
  int64_t first_shard() const { return first_shard_; }

  // Call before a step's first shard.
  void zero_gradients();
  // Accumulates the gradient of one shard's mean loss. With `last` (this rank's last shard of the
  // step), gradients are reduced over ranks as they become ready; afterwards they hold the mean
  // over all shards.
  void backward(const at::Tensor& loss, bool last);

 private:
  models::Model& model_;
  int64_t shards_per_rank_, first_shard_;
  Communicator& communicator_;
  std::unique_ptr<c10d::Reducer> reducer_;  // null with one rank
};

// Collective: broadcasts rank 0's values of `tensors`.
void broadcast_tensors(const std::vector<models::Model::NamedTensor>& tensors,
                       Communicator& communicator);

}  // namespace remixer::training
