// SPDX-License-Identifier: Apache-2.0
// Counts memory accesses as a profiler would: sectors a request, bank conflicts.
#include <algorithm>
#include <array>
#include <set>

#include "tests/support/simt_block.h"

namespace remixer::testing {
namespace {

int64_t count_sectors(const std::vector<Access>& accesses) {
  std::set<uintptr_t> sectors;
  for (const Access& access : accesses) {
    if (!access.valid) continue;
    for (uintptr_t s = access.begin / 32; s <= (access.begin + access.bytes - 1) / 32; ++s)
      sectors.insert(s);
  }
  return static_cast<int64_t>(sectors.size());
}

template <typename Count>
void note(Requests& requests, Access access, Count&& count) {
  const int64_t at = requests.made[my_lane()]++ - requests.first_open;
  if (at >= static_cast<int64_t>(requests.open.size())) requests.open.emplace_back();
  requests.open[at].lanes[my_lane()] = access;
  ++requests.open[at].made;
  while (!requests.open.empty() && requests.open.front().made == kLanes) {
    count(requests.open.front().lanes);
    requests.open.pop_front();
    ++requests.first_open;
  }
}

}  // namespace

int64_t count_wavefronts(const std::vector<Access>& accesses) {
  const size_t together = kLanes / std::max(accesses.front().bytes / 4, 1);
  int64_t wavefronts = 0;
  for (size_t first = 0; first < accesses.size(); first += together) {
    std::array<std::set<uintptr_t>, 32> words;
    for (size_t l = first; l < std::min(first + together, accesses.size()); ++l) {
      if (!accesses[l].valid) continue;
      for (int byte = 0; byte < accesses[l].bytes; byte += 4) {
        const uintptr_t word = (accesses[l].begin + byte) / 4;
        words[word % 32].insert(word);
      }
    }
    size_t most = 0;
    for (const auto& bank : words) most = std::max(most, bank.size());
    wavefronts += static_cast<int64_t>(most);
  }
  return wavefronts;
}

void count_global(Access access, bool store) {
  SimtCounters& c = g_block->counters;
  note(store ? my_warp().stores : my_warp().loads, access, [&](const std::vector<Access>& all) {
    int64_t bytes = 0;
    for (const Access& a : all) bytes += a.valid ? a.bytes : 0;
    if (bytes == 0) return;
    (store ? c.store_requests : c.load_requests) += 1;
    (store ? c.store_bytes : c.load_bytes) += bytes;
    (store ? c.store_sectors : c.load_sectors) += count_sectors(all);
    (store ? c.store_ideal_sectors : c.load_ideal_sectors) += (bytes + 31) / 32;
  });
}

void count_shared(Access access) {
  note(my_warp().shared, access, [](const std::vector<Access>& all) {
    int64_t bytes = 0;
    for (const Access& a : all) bytes += a.valid ? a.bytes : 0;
    if (bytes == 0) return;
    g_block->counters.shared_wavefronts += count_wavefronts(all);
    g_block->counters.shared_ideal_wavefronts += (bytes + 127) / 128;
  });
}

}  // namespace remixer::testing
