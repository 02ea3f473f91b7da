// SPDX-License-Identifier: Apache-2.0
#include "core/training/peak_memory.h"

#include <fstream>
#include <sstream>
#include <string>

namespace remixer::training {

void reset_peak_memory() {
  // 5: resets the peak to the current use.
  std::ofstream("/proc/self/clear_refs") << 5;
}

double peak_memory_gib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("VmHWM:")) continue;
    double kibibytes = 0;
    std::istringstream(line.substr(line.find(':') + 1)) >> kibibytes;
    return kibibytes / (1 << 20);
  }
  return 0;
}

}  // namespace remixer::training
