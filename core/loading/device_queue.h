// SPDX-License-Identifier: Apache-2.0
// Copies the next batch to the device while the current one is computed with.
#pragma once

#include <c10/core/Event.h>

#include <optional>

#include "core/loading/loader.h"

namespace remixer::training {

// Moves the batch to `device` and unpacks packed labels there; tensors already there are kept. Does
// not wait for copies from pinned memory.
Batch to_device(Batch batch, at::Device device);

// Hands out a loader's batches on `device`, in order. On a GPU, copies run on a separate stream;
// the compute stream waits for a copy only when it takes that batch. On the CPU, batches come
// straight from the loader. One thread at a time; the loader must outlive it.
class DeviceQueue {
 public:
  // `batches`: how many batches the loader still has to hand out.
  DeviceQueue(Loader& loader, at::Device device, int64_t batches);
  // Starts copying the next batch; waits for the loader if that batch is not ready. Call it when
  // the device has work. No-op on the CPU, while a copy is under way, or after the last batch.
  void prefetch();
  Batch next();

 private:
  Loader& loader_;
  at::Device device_;
  int64_t left_;
  std::optional<c10::Stream> stream_;  // of a GPU, for copies
  std::optional<c10::Event> copied_;   // the copy under way
  Batch coming_;
};

}  // namespace remixer::training
