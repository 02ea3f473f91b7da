// SPDX-License-Identifier: Apache-2.0
#include "coordinator/views/eval_sets.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace remixer::coordinator {
namespace {

// Position of the split in a set's name.
struct Place {
  size_t begin, end;
};

Place split_in(const std::string& eval_set) {
  const size_t slash = eval_set.rfind('/');
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  return {begin, std::min(eval_set.find('@', begin), eval_set.size())};
}

}  // namespace

std::string split_of(const std::string& eval_set) {
  const Place split = split_in(eval_set);
  return eval_set.substr(split.begin, split.end - split.begin);
}

std::string with_split(const std::string& eval_set, const std::string& split) {
  const Place place = split_in(eval_set);
  return eval_set.substr(0, place.begin) + split + eval_set.substr(place.end);
}

bool lower_is_better(const std::string& eval_set) {
  constexpr std::array<std::string_view, 4> kLower = {"only_bg_b", "only_bg_t", "no_fg", kGap};
  return std::find(kLower.begin(), kLower.end(), split_of(eval_set)) != kLower.end();
}

std::vector<std::string> lower_ones(const std::vector<std::string>& eval_sets) {
  std::vector<std::string> lower;
  std::copy_if(eval_sets.begin(), eval_sets.end(), std::back_inserter(lower), lower_is_better);
  return lower;
}

}  // namespace remixer::coordinator
