// SPDX-License-Identifier: Apache-2.0
#include "core/loading/memory_at_hand.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include "base/proc_entry.h"

namespace remixer::training {
namespace {

namespace fs = std::filesystem;

// The number in a file that holds nothing else; none if it says "max" or cannot be read.
std::optional<int64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  int64_t value = 0;
  if (stream >> value) return value;
  return std::nullopt;
}

struct ControlGroup {
  const char *limit, *used, *reclaimable;  // names of files, and of an entry of memory.stat
};
constexpr ControlGroup kVersion2{"memory.max", "memory.current", "inactive_file"};
constexpr ControlGroup kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                                 "total_inactive_file"};

// What a group and those above it, up to `top`, still allow.
int64_t allowed(const ControlGroup& version, const fs::path& top, const fs::path& group) {
  int64_t least = std::numeric_limits<int64_t>::max();
  fs::path folder = top;
  const auto consider = [&] {
    const auto limit = number_in(folder / version.limit), used = number_in(folder / version.used);
    if (!limit) return;
    const int64_t files = proc_entry(folder / "memory.stat", version.reclaimable).value_or(0);
    least = std::min(least, std::max<int64_t>(0, *limit - used.value_or(0) + files));
  };
  consider();
  for (const fs::path& part : group.relative_path()) {
    folder /= part;
    consider();
  }
  return least;
}

}  // namespace

std::optional<int64_t> memory_at_hand(const fs::path& root) {
  constexpr int64_t kKibi = 1024;
  const auto available = proc_entry(root / "proc/meminfo", "MemAvailable:");
  if (!available) return std::nullopt;
  int64_t bytes = *available * kKibi;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // "0::/path" (version 2) or "4:memory:/path" (version 1).
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1), top = root / "sys/fs/cgroup";
    if (controllers.empty()) bytes = std::min(bytes, allowed(kVersion2, top, group));
    if (controllers == "memory") {
      bytes = std::min(bytes, allowed(kVersion1, top / "memory", group));
    }
  }
  return bytes;
}

int64_t cache_bytes(std::optional<int64_t> at_hand, int ranks) {
  return at_hand ? *at_hand / 4 / std::max(1, ranks) : kUsualCacheBytes;
}

}  // namespace remixer::training
