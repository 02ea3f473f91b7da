// SPDX-License-Identifier: Apache-2.0
#include "core/training/peak_memory.h"

#include <fstream>

#include "base/proc_entry.h"

namespace remixer::training {

void reset_peak_memory() {
  // 5: resets the peak to the current use.
  std::ofstream("/proc/self/clear_refs") << 5;
}

double peak_memory_gib() {
  const auto kibibytes = proc_entry("/proc/self/status", "VmHWM:");
  return static_cast<double>(kibibytes.value_or(0)) / (1 << 20);
}

}  // namespace remixer::training
