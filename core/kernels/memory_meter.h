// SPDX-License-Identifier: Apache-2.0
// Measures the peak memory of tensor operations.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>

namespace remixer::kernels {

// During its lifetime, counts tensor allocations and frees on any device, by this thread and its
// at::parallel_for workers. Backward passes of CPU tensors also run on this thread.
class MemoryMeter {
 public:
  MemoryMeter()
      : counter_(std::make_shared<Counter>()),
        guard_(c10::DebugInfoKind::PROFILER_STATE, counter_) {}
  // The peak so far, in bytes above the use at construction.
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
