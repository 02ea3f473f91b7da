// SPDX-License-Identifier: Apache-2.0
// Interprets the names of evaluation sets, as figures use them: "SPLIT" of the cell's own data set
// or "DATASET/SPLIT", both with the suffix "@released" if images are seen as in OAMixer's released
// code.
#pragma once

#include <string>
#include <vector>

namespace remixer::coordinator {

// "shifted/mixed_rand@released" → "mixed_rand".
std::string split_of(const std::string& eval_set);

// The same set name with another split: "shifted/bg_gap@released".
std::string with_split(const std::string& eval_set, const std::string& split);

// True if lower figures are better: images without the object, and BG-Gap.
bool lower_is_better(const std::string& eval_set);

// Those of `eval_sets` for which lower is better.
std::vector<std::string> lower_ones(const std::vector<std::string>& eval_sets);

// BG-Gap is Mixed-Same's accuracy minus Mixed-Rand's.
inline constexpr const char *kMixedSame = "mixed_same", *kMixedRand = "mixed_rand",
                            *kGap = "bg_gap";

}  // namespace remixer::coordinator
