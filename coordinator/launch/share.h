// SPDX-License-Identifier: Apache-2.0
// Divides this machine's cores and GPUs among workers.
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

// The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them: those it lists or, if it
// is not set, "0", "1", ... for each one that the driver shows in `devices`. Empty if there are
// none. Does not check that LibTorch can use them; a worker does that.
std::vector<std::string> own_gpus(const std::filesystem::path& devices = "/dev");

struct WorkerCount {
  int workers = 1, ranks = 1;  // ranks per worker
};

// Inputs of count_workers().
struct WorkerChoice {
  int gpus = 0, cores = 1;  // of this machine
  int64_t shards = 4;       // of every cell's global batch; must be a multiple of the ranks
  int64_t cells = std::numeric_limits<int>::max();  // that could be trained at the same time
  std::optional<int> workers{}, ranks{};            // if the user set them
};

// With GPUs: one rank per GPU, using as many as possible: first for a cell's ranks, then for more
// cells at once (eight GPUs and four shards: two workers of four ranks). Without: one worker of two
// ranks, or of one rank on a single core.
WorkerCount count_workers(const WorkerChoice& choice);

// Part number `index` (0, 1, ...) of `parts` equal parts of consecutive items. If there are fewer
// items than parts, one item, shared in turn; nothing if there are none.
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
