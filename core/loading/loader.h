// SPDX-License-Identifier: Apache-2.0
// Loads batches of a split ahead of use, on background threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/loading/packed_labels.h"
#include "core/loading/sample_store.h"

namespace remixer::training {

// S pixels a side, N patches, K label channels.
struct Batch {
  at::Tensor images;        // [B, 3, S, S] float, normalised
  at::Tensor patch_labels;  // [B, N, K] float; undefined without a label source
  // Replaces patch_labels if the labels go to a GPU, come from top-k maps and are worth_packing().
  std::optional<PackedLabels> packed_labels = std::nullopt;
  at::Tensor classes;  // [B] int64
};

// For whom a batch is made.
struct BatchForm {
  // Tensors are in page-locked memory, so that copies to a GPU are asynchronous. Only if LibTorch
  // has a GPU.
  bool pinned = false;
  bool packed = false;  // labels of top-k maps come packed if that is worth it

  static BatchForm of(at::Device device) { return {device.is_cuda(), !device.is_cpu()}; }
};
Batch make_batch(SampleStore& store, const std::vector<Draw>& draws, BatchForm form = {});

// Hands out batches first, first + 1, ..., end - 1. `plan` alone decides the contents of batch i,
// so the number of threads affects only speed.
class Loader {
 public:
  // Returns the draws of batch i. Called from several loader threads at once.
  using Plan = std::function<std::vector<Draw>(int64_t batch)>;

  // `threads` >= 1. At most threads + 1 batches are ready or in preparation. The store must outlive
  // the loader.
  Loader(SampleStore& store, Plan plan, int64_t first, int64_t end, int threads,
         BatchForm form = {});
  // Stops the threads and drops batches not yet handed out.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The next batch in order; must not be called after the last one. One thread at a time. Rethrows
  // what building that batch threw.
  Batch next();

 private:
  struct Slot {
    Batch batch;
    std::exception_ptr error;
  };
  void work();

  SampleStore& store_;
  const Plan plan_;
  const int64_t end_, ahead_;
  const BatchForm form_;
  std::mutex mutex_;
  std::condition_variable ready_, room_;
  std::map<int64_t, Slot> slots_;  // finished, not yet handed out
  int64_t next_made_, next_taken_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace remixer::training
