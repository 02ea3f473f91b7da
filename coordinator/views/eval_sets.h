// SPDX-License-Identifier: Apache-2.0
// What the sets that models are evaluated on say of them, by the names that figures have: "SPLIT"
// of the cell's own data set or "DATASET/SPLIT", both with "@released" behind where images are seen
// so.
#pragma once

#include <string>
#include <vector>

namespace remixer::coordinator {

// "shifted/mixed_rand@released" → "mixed_rand".
std::string split_of(const std::string& eval_set);

// The same with another split: "shifted/bg_gap@released".
std::string with_split(const std::string& eval_set, const std::string& split);

// Whether a low figure is the better one: images that lack the object, and BG-Gap.
bool lower_is_better(const std::string& eval_set);

// Of `eval_sets` those.
std::vector<std::string> lower_ones(const std::vector<std::string>& eval_sets);

// BG-Gap is Mixed-Same's accuracy less Mixed-Rand's.
inline constexpr const char *kMixedSame = "mixed_same", *kMixedRand = "mixed_rand",
                            *kGap = "bg_gap";

}  // namespace remixer::coordinator
