// SPDX-License-Identifier: Apache-2.0
#include "tools/labels/label_stats.h"

#include <algorithm>
#include <set>
#include <vector>

namespace remixer::labelcache {
namespace {

Json dense_stats(const LabelFileReader& reader) {
  double sum = 0, object = 0, cells = 0, range = 0;
  int64_t empty = 0;
  for (uint32_t sample = 0; sample < reader.samples(); ++sample) {
    const data::LabelMap map = reader.map_of(sample);
    const auto [low, high] = std::minmax_element(map.values.begin(), map.values.end());
    range += *high - *low;
    empty += *high <= 0.5f;
    for (const float value : map.values) {
      sum += value;
      object += value > 0.5f;
    }
    cells += static_cast<double>(map.values.size());
  }
  return {{"mean_label", sum / cells},
          {"object_share", object / cells},
          {"empty_maps", empty},
          {"mean_range", range / reader.samples()}};
}

Json top_k_stats(const LabelFileReader& reader) {
  constexpr size_t kMostFrequent = 10;
  std::vector<int64_t> first(static_cast<size_t>(reader.channels()), 0);
  double logit = 0, margin = 0, cells = 0, distinct = 0;
  for (uint32_t sample = 0; sample < reader.samples(); ++sample) {
    const data::LabelMap map = reader.map_of(sample);
    const size_t top_k = static_cast<size_t>(map.top_k);
    std::set<uint16_t> firsts;
    for (size_t cell = 0; cell < map.values.size(); cell += top_k) {
      ++first[map.indices[cell]];
      firsts.insert(map.indices[cell]);
      logit += map.values[cell];
      if (top_k > 1) margin += map.values[cell] - map.values[cell + 1];
      ++cells;
    }
    distinct += static_cast<double>(firsts.size());
  }
  std::vector<size_t> order(first.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return first[a] > first[b]; });
  Json frequent = Json::array();
  for (size_t i = 0; i < std::min(kMostFrequent, order.size()) && first[order[i]] > 0; ++i) {
    frequent.push_back({order[i], static_cast<double>(first[order[i]]) / cells});
  }
  Json stats = {
      {"classes_seen", std::count_if(first.begin(), first.end(), [](int64_t n) { return n > 0; })},
      {"mean_logit", logit / cells},
      {"classes_a_map", distinct / reader.samples()},
      {"most_frequent", frequent}};
  if (reader.provenance().shape.top_k > 1) stats["mean_margin"] = margin / cells;
  return stats;
}

}  // namespace

Json label_stats(const LabelFileReader& reader) {
  if (reader.samples() == 0) return Json::object();
  return reader.provenance().shape.top_k > 0 ? top_k_stats(reader) : dense_stats(reader);
}

}  // namespace remixer::labelcache
