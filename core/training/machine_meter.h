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

// Utilisation of the whole machine that this process runs on, in percent, since the last call. One
// thread at a time.
class MachineMeter {
 public:
  // `proc`: the proc file system. `gpu_library`: NVIDIA's management library (NVML), which comes
  // with the driver; without it, or if CUDA_VISIBLE_DEVICES names none of its GPUs, no GPU figures
  // are reported.
  explicit MachineMeter(std::filesystem::path proc = "/proc",
                        const std::string& gpu_library = "libnvidia-ml.so.1");
  ~MachineMeter();
  MachineMeter(MachineMeter&&) noexcept;
  MachineMeter& operator=(MachineMeter&&) noexcept;

  // cpu_percent (busy processors), memory_percent (neither free nor quickly to be freed),
  // gpu_percent and gpu_memory_percent (means over the GPUs that this process may use), each if the
  // system reports it. cpu_percent covers the time since the last call.
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
