// SPDX-License-Identifier: Apache-2.0
// Samples CPU and GPU use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace remixer::training {

// Percent of what there is, since the last look, of the whole machine that this process is on. One
// thread at a time.
class MachineMeter {
 public:
  // `proc`: where the system tells of itself. `gpu_library`: NVIDIA's management library (NVML),
  // which a driver brings; without it, or where CUDA_VISIBLE_DEVICES names none of its GPUs,
  // nothing is said of GPUs.
  explicit MachineMeter(std::filesystem::path proc = "/proc",
                        const std::string& gpu_library = "libnvidia-ml.so.1");
  ~MachineMeter();
  MachineMeter(MachineMeter&&) noexcept;
  MachineMeter& operator=(MachineMeter&&) noexcept;

  // cpu_percent (processors at work), memory_percent (neither free nor quickly to be freed),
  // gpu_percent and gpu_memory_percent (means over the GPUs that this process may use), each where
  // the system says it. cpu_percent is of the time since the last call.
  std::vector<std::pair<std::string, double>> read();

 private:
  class Gpus;
  struct Processors {
    double busy = 0, all = 0;  // clock ticks since the machine started, of all processors
  };
  Processors processors() const;

  std::filesystem::path proc_;
  Processors last_;
  std::unique_ptr<Gpus> gpus_;  // null: none
};

}  // namespace remixer::training
