// SPDX-License-Identifier: Apache-2.0
// Images of large blotches in random shades, which differ in what a patch shows.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"
#include "core/image/image.h"

namespace remixer::testing {

// `side` is a multiple of 8. Equal seeds give equal images.
inline data::Image blotches(int side, uint64_t seed) {
  constexpr int kBlotch = 8;
  Random random(seed, RandomPurpose::kTest);
  data::Image image(side, side);
  for (int y = 0; y < side; y += kBlotch) {
    for (int x = 0; x < side; x += kBlotch) {
      const auto shade = static_cast<uint8_t>(random.below(256));
      for (int i = 0; i < kBlotch * kBlotch; ++i) {
        image.at(x + i % kBlotch, y + i / kBlotch)[i % 3] = shade;
      }
    }
  }
  return image;
}

}  // namespace remixer::testing
