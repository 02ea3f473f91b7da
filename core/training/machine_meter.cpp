// SPDX-License-Identifier: Apache-2.0
#include "core/training/machine_meter.h"

#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/proc_entry.h"

namespace remixer::training {
namespace {

// The part of NVML's C interface that is used (nvml.h, version 2 of each function).
using NvmlDevice = void*;
struct NvmlUtilization {
  unsigned gpu = 0, memory = 0;  // percent of the last second or less
};
struct NvmlMemory {
  unsigned long long total = 0, free = 0, used = 0;  // bytes
};

}  // namespace

// The GPUs that this process may use.
class MachineMeter::Gpus {
 public:
  static std::unique_ptr<Gpus> open(const std::string& library) {
    void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) return nullptr;
    auto gpus = std::unique_ptr<Gpus>(new Gpus(handle));
    if (!gpus->load() || gpus->devices_.empty()) return nullptr;
    return gpus;
  }
  ~Gpus() {
    if (shutdown_) shutdown_();
    ::dlclose(library_);
  }
  Gpus(const Gpus&) = delete;
  Gpus& operator=(const Gpus&) = delete;

  // {gpu, memory} in percent; empty if the driver does not report them.
  std::optional<std::pair<double, double>> read() const {
    double busy = 0, used = 0;
    for (NvmlDevice device : devices_) {
      NvmlUtilization utilization;
      NvmlMemory memory;
      if (utilization_(device, &utilization) != 0 || memory_(device, &memory) != 0 ||
          memory.total == 0) {
        return std::nullopt;
      }
      busy += utilization.gpu;
      used += 100 * static_cast<double>(memory.used) / static_cast<double>(memory.total);
    }
    const auto count = static_cast<double>(devices_.size());
    return std::pair(busy / count, used / count);
  }

 private:
  explicit Gpus(void* library) : library_(library) {}

  template <typename Function>
  bool find(const char* name, Function*& function) const {
    function = reinterpret_cast<Function*>(::dlsym(library_, name));
    return function != nullptr;
  }

  bool load() {
    int (*start)() = nullptr;
    if (!find("nvmlInit_v2", start) || !find("nvmlDeviceGetCount_v2", count_) ||
        !find("nvmlDeviceGetHandleByIndex_v2", by_index_) ||
        !find("nvmlDeviceGetHandleByUUID", by_name_) ||
        !find("nvmlDeviceGetUtilizationRates", utilization_) ||
        !find("nvmlDeviceGetMemoryInfo", memory_) || start() != 0) {
      return false;
    }
    find("nvmlShutdown", shutdown_);
    find_devices();
    return true;
  }

  // CUDA_VISIBLE_DEVICES lists indices or names ("GPU-<uuid>"), up to the first invalid one.
  void find_devices() {
    NvmlDevice device = nullptr;
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    if (!visible) {
      unsigned count = 0;
      if (count_(&count) != 0) return;
      for (unsigned i = 0; i < count; ++i) {
        if (by_index_(i, &device) == 0) devices_.push_back(device);
      }
      return;
    }
    std::istringstream words(visible);
    for (std::string word; std::getline(words, word, ',');) {
      const bool index =
          !word.empty() && word.size() < 6 && word.find_first_not_of("0123456789") == word.npos;
      const int missing = index ? by_index_(static_cast<unsigned>(std::stoul(word)), &device)
                                : by_name_(word.c_str(), &device);
      if (missing != 0) return;
      devices_.push_back(device);
    }
  }

  void* library_;
  int (*shutdown_)() = nullptr;
  int (*count_)(unsigned*) = nullptr;
  int (*by_index_)(unsigned, NvmlDevice*) = nullptr;
  int (*by_name_)(const char*, NvmlDevice*) = nullptr;
  int (*utilization_)(NvmlDevice, NvmlUtilization*) = nullptr;
  int (*memory_)(NvmlDevice, NvmlMemory*) = nullptr;
  std::vector<NvmlDevice> devices_;
};

MachineMeter::MachineMeter(std::filesystem::path proc, const std::string& gpu_library)
    : proc_(std::move(proc)), last_(processors()), gpus_(Gpus::open(gpu_library)) {}
MachineMeter::~MachineMeter() = default;
MachineMeter::MachineMeter(MachineMeter&&) noexcept = default;
MachineMeter& MachineMeter::operator=(MachineMeter&&) noexcept = default;

// The first line of /proc/stat: user nice system idle iowait irq softirq steal.
MachineMeter::Processors MachineMeter::processors() const {
  std::ifstream file(proc_ / "stat");
  std::string name;
  file >> name;
  Processors found;
  double ticks = 0;
  for (int field = 0; field < 8 && file >> ticks; ++field) {
    const bool idle = field == 3 || field == 4;
    found.all += ticks;
    if (!idle) found.busy += ticks;
  }
  return found;
}

std::vector<std::pair<std::string, double>> MachineMeter::read() {
  std::vector<std::pair<std::string, double>> figures;
  const Processors now = processors();
  if (now.all > last_.all) {
    figures.emplace_back("cpu_percent", 100 * (now.busy - last_.busy) / (now.all - last_.all));
  }
  last_ = now;

  const auto total = proc_entry(proc_ / "meminfo", "MemTotal:");
  const auto available = proc_entry(proc_ / "meminfo", "MemAvailable:").value_or(0);
  if (total.value_or(0) > 0) {
    figures.emplace_back("memory_percent",
                         100 * (1 - static_cast<double>(available) / static_cast<double>(*total)));
  }

  if (gpus_) {
    if (const auto gpus = gpus_->read()) {
      figures.emplace_back("gpu_percent", gpus->first);
      figures.emplace_back("gpu_memory_percent", gpus->second);
    }
  }
  return figures;
}

}  // namespace remixer::training
