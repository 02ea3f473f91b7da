// SPDX-License-Identifier: Apache-2.0
#include "coordinator/launch/share.h"

#include <cstdlib>
#include <sstream>

namespace remixer::coordinator {
namespace {

constexpr int kRanksWithoutGpu = 2;

// The GPUs that CUDA would show: it stops at the first invalid name, such as "-1" or Slurm's
// "NoDevFiles".
std::vector<std::string> named_gpus(const std::string& names) {
  std::vector<std::string> gpus;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    if (name.empty() || name[0] == '-' || name == "NoDevFiles") break;
    gpus.push_back(name);
  }
  return gpus;
}

// "nvidia0", "nvidia12": a GPU. The folder also has nvidiactl, nvidia-uvm and others.
bool is_card(const std::string& name) {
  constexpr std::string_view kBegin = "nvidia";
  return name.starts_with(kBegin) && name.size() > kBegin.size() &&
         name.find_first_not_of("0123456789", kBegin.size()) == std::string::npos;
}

}  // namespace

std::vector<std::string> own_gpus(const std::filesystem::path& devices) {
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) return named_gpus(visible);
  // CUDA numbers the existing devices from 0, whatever their device numbers.
  std::vector<std::string> gpus;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(devices, none)) {
    if (is_card(entry.path().filename().string())) gpus.push_back(std::to_string(gpus.size()));
  }
  return gpus;
}

WorkerCount count_workers(const WorkerChoice& choice) {
  const int slots = choice.gpus > 0 ? choice.gpus : std::clamp(choice.cores, 1, kRanksWithoutGpu);
  const auto workers_of = [&](int ranks) {
    if (choice.workers) return *choice.workers;
    if (choice.gpus == 0) return 1;
    return static_cast<int>(
        std::clamp<int64_t>(slots / ranks, 1, std::max<int64_t>(choice.cells, 1)));
  };
  if (choice.ranks) return {workers_of(*choice.ranks), *choice.ranks};
  WorkerCount best{workers_of(1), 1};
  // If the number of workers is given, each has an equal part of the GPUs.
  const int most = choice.gpus > 0 ? slots / std::max(1, choice.workers.value_or(1)) : slots;
  for (int ranks = 2; ranks <= most; ++ranks) {
    if (choice.shards % ranks != 0) continue;
    const WorkerCount next{workers_of(ranks), ranks};
    if (next.workers * next.ranks >= best.workers * best.ranks) best = next;
  }
  return best;
}

}  // namespace remixer::coordinator
