// SPDX-License-Identifier: Apache-2.0
// Runs device code (core/kernels/device) on the CPU, one block at a time, each thread a fiber.
//
// It gives what core/kernels/device/simt.h declares, and checks what a GPU would not: that every
// access lies in a buffer that was named or in the block's shared memory, that shared memory is
// written before it is read, that two threads that touch the same shared bytes are kept apart by a
// barrier, that all lanes or threads reach what they must reach together, and that no asynchronous
// copy is left waiting. A fault ends the launch with SimtError, which says where. It counts what a
// profiler would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace remixer::testing {

class SimtError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// In which order the threads that can go on do so.
enum class ThreadOrder { kForward, kBackward, kShuffled, kWarpByWarp };

struct SimtCounters {
  // A request is one access of a warp. A sector is 32 bytes of global memory; `ideal` is what the
  // bytes asked for would need side by side.
  int64_t load_requests = 0, load_sectors = 0, load_ideal_sectors = 0, load_bytes = 0;
  int64_t store_requests = 0, store_sectors = 0, store_ideal_sectors = 0, store_bytes = 0;
  // A wavefront is one pass over the 32 banks; more than ideal are conflicts.
  int64_t shared_wavefronts = 0, shared_ideal_wavefronts = 0;
  int64_t multiply_adds = 0;  // mma.m16n8k16 of a warp: 4,096 floating point operations
  int64_t barriers = 0, exponentials = 0;
  SimtCounters& operator+=(const SimtCounters& other);
};

struct Launch {
  int grid[3] = {1, 1, 1};
  int threads = 32;  // a multiple of 32
  int64_t shared_bytes = 0;
  ThreadOrder order = ThreadOrder::kForward;
  uint64_t seed = 0;  // of kShuffled
};

// Global memory that the device code may touch; not owned. With no buffer named nothing is allowed.
class GlobalMemory {
 public:
  void readable(const void* begin, size_t bytes);
  void writable(void* begin, size_t bytes);
  void everything() { ranges_.push_back({0, UINTPTR_MAX, true}); }
  bool allows(const void* begin, size_t bytes, bool write) const;

 private:
  struct Range {
    uintptr_t begin, end;
    bool write;
  };
  std::vector<Range> ranges_;
};

// Runs `kernel` in every thread of every block; throws SimtError. One at a time in a process.
SimtCounters launch(const Launch& launch, const GlobalMemory& memory,
                    const std::function<void()>& kernel);

}  // namespace remixer::testing
