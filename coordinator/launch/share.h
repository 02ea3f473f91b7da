// SPDX-License-Identifier: Apache-2.0
// Divides this machine's processors and GPUs among workers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/host.h"

namespace remixer::coordinator {

// The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them: those that it names, or
// where it is not set, "0", "1", ... for each that the driver shows in `devices`. Empty where there
// are none. That LibTorch can use them is not said: a worker finds that out.
std::vector<std::string> own_gpus(const std::filesystem::path& devices = "/dev");

struct WorkerCount {
  int workers = 1, ranks = 1;  // ranks of each
};

// What to choose from.
struct WorkerChoice {
  int gpus = 0, cores = 1;  // of this machine
  int64_t shards = 4;       // of every cell's global batch: the number of ranks divides it
  int64_t cells = std::numeric_limits<int>::max();  // that could be trained side by side
  std::optional<int> workers{}, ranks{};            // as the user wishes
};

// With GPUs, one rank each, and as many of them at work as can be: a cell's ranks first, then cells
// side by side (eight GPUs and four shards: two workers of four ranks). Without, one worker of two
// ranks, or one where there is one core.
WorkerCount count_workers(const WorkerChoice& choice);

// The part number `index` (0, 1, ...) of `parts` equal ones, neighbours together. Where there are
// fewer things than parts, one that is shared in turn; nothing of nothing.
template <typename T>
std::vector<T> share_of(const std::vector<T>& things, size_t index, size_t parts) {
  if (things.empty() || parts == 0) return {};
  if (things.size() < parts) return {things[index % things.size()]};
  const auto at = [&](size_t part) {
    return things.begin() + static_cast<std::ptrdiff_t>(part * things.size() / parts);
  };
  return {at(index), at(index + 1)};
}

}  // namespace remixer::coordinator
