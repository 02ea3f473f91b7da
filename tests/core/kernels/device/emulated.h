// SPDX-License-Identifier: Apache-2.0
// Launches of device code in the emulator, with buffers that are named, poisoned and freed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "core/kernels/device/plan.h"
#include "tests/support/simt.h"

namespace remixer::testing {

// How a test's numbers are stored for the device.
enum class Storage { kBFloat16, kHalf, kFloat };

// A value as it is after it was rounded to `storage`.
double rounded(double value, Storage storage);

// Buffers that a launch may touch. Addresses stay.
class DeviceBuffers {
 public:
  // `values` in `storage`; the device may read it.
  const void* input(const std::vector<double>& values, Storage storage);
  // Poisoned with NaN; the device may write it.
  void* output(size_t count, Storage storage);
  std::vector<double> read(const void* buffer, size_t count, Storage storage) const;
  const GlobalMemory& memory() const { return memory_; }

 private:
  void* add(size_t bytes);
  std::vector<std::unique_ptr<void, decltype(&std::free)>> buffers_;
  GlobalMemory memory_;
};

// Runs a planned call.
SimtCounters run(const device::KernelCall& call, const DeviceBuffers& buffers,
                 ThreadOrder order = ThreadOrder::kForward, uint64_t seed = 0);

}  // namespace remixer::testing
