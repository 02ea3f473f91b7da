// What this machine has for workers, and each worker's share of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace remixer::coordinator {

// The processors that this process may run on, by number.
std::vector<int> own_cores();
// The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them: those that it names, or
// where it is not set, "0", "1", ... for each that the driver shows. Empty where there are none.
std::vector<std::string> own_gpus();

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
