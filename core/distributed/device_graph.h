// SPDX-License-Identifier: Apache-2.0
// Work for a device that is recorded once and then repeated: the host queues one call instead of
// all of its operations.
#pragma once

#include <functional>

namespace remixer::training {

// One recording. Repeating it reads and writes the memory that the recorded operations used, and
// uses the numbers that the host gave them. One thread at a time.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  // Records what body() queues on the calling thread's current stream, with the backward passes
  // that it starts, without running it. body() must have run before, for what is set up at a first
  // call, and must not wait for the device. Throws what body() or the device's library throws; the
  // object can then not be used.
  virtual void record(const std::function<void()>& body) = 0;
  // Queues the recorded work on the current stream.
  virtual void repeat() = 0;
};

}  // namespace remixer::training
