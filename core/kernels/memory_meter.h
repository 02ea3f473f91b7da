// SPDX-License-Identifier: Apache-2.0
// How much memory a piece of tensor work needs at its peak.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>

namespace remixer::kernels {

// Counts what tensors are given and give back, on any device, while it lives: by this thread, and
// by those that work for it (at::parallel_for). Backward passes of CPU tensors run on it too.
class MemoryMeter {
 public:
  MemoryMeter()
      : counter_(std::make_shared<Counter>()),
        guard_(c10::DebugInfoKind::PROFILER_STATE, counter_) {}
  // Bytes beyond what was there when it was made, at most so far.
  int64_t peak() const {
    const std::lock_guard lock(counter_->mutex);
    return counter_->most;
  }

 private:
  struct Counter : c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device) override {
      const std::lock_guard lock(mutex);
      now += bytes;
      most = std::max(most, now);
    }
    bool memoryProfilingEnabled() const override { return true; }
    mutable std::mutex mutex;
    int64_t now = 0, most = 0;
  };
  std::shared_ptr<Counter> counter_;
  c10::DebugInfoGuard guard_;
};

}  // namespace remixer::kernels
