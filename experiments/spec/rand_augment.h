// SPDX-License-Identifier: Apache-2.0
// RandAugment policies in timm's notation: "rand-m9-mstd0.5-inc1".
#pragma once

#include <cstdint>
#include <string>

namespace remixer::experiments {

struct RandAugment {
  int64_t operations = 0;    // number drawn per image; 0: RandAugment is off
  double magnitude = 10;     // from 0 to 10
  double deviation = 0;      // standard deviation of the magnitude, which is clipped to [0, 10]
  double probability = 0.5;  // of each operation drawn
  bool operator==(const RandAugment&) const = default;
};

// "none", or "rand" with any of -mM (magnitude), -nN (operations, 2 if not given), -mstdS
// (deviation), -pP (probability), and the required -inc1: a higher magnitude always changes more.
// Throws InputError saying what is wrong with the text; `where` names it.
RandAugment parse_rand_augment(const std::string& text, const std::string& where);

}  // namespace remixer::experiments
