// SPDX-License-Identifier: Apache-2.0
// Copies the next batch to the device while the current one is computed with.
#pragma once

#include <c10/core/Event.h>

#include <optional>

#include "core/loading/loader.h"

namespace remixer::training {

// The batch on `device`, packed labels unpacked there; what is there already stays. From pinned
// memory, without waiting for the copy.
Batch to_device(Batch batch, at::Device device);

// Hands out a loader's batches on `device`, in order. On a GPU copies run on a stream of their own,
// for which the stream that computes waits only when it takes the batch. On the CPU it is the
// loader. One thread at a time; the loader must outlive it.
class DeviceQueue {
 public:
  // `batches`: as many as the loader has still to hand out.
  DeviceQueue(Loader& loader, at::Device device, int64_t batches);
  // Begins to copy the next batch, waiting for the loader where that is not made yet. To be called
  // when the device has work. Nothing on the CPU, where one is under way, or where none is left.
  void prefetch();
  Batch next();

 private:
  Loader& loader_;
  at::Device device_;
  int64_t left_;
  std::optional<c10::Stream> stream_;  // of a GPU, for copies
  std::optional<c10::Event> copied_;   // the copy that is under way
  Batch coming_;
};

}  // namespace remixer::training
