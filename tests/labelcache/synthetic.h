// SPDX-License-Identifier: Apache-2.0
// An image that integer arithmetic makes, so that other programs can make the same: coloured bands
// and a bright disk.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/dataset/dataset.h"
#include "core/image/image.h"

namespace remixer::testing {

inline int disk_radius(int height, int width) {
  return std::min(height, width) / 4;
}

inline bool in_disk(int x, int y, int height, int width) {
  const int dx = x - width / 2, dy = y - height * 2 / 5, radius = disk_radius(height, width);
  return dx * dx + dy * dy < radius * radius;
}

inline data::Image disk_image(int height, int width) {
  constexpr int kDisk[3] = {230, 60, 40};
  data::Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const int band = (x * (3 + 2 * c) + y * (5 - c) + x * y * (c + 1) % 23) % 97;
        const int value = in_disk(x, y, height, width) ? kDisk[c] - (x + y) % 16 : band;
        image.at(x, y)[c] = static_cast<uint8_t>(value);
      }
    }
  }
  return image;
}

inline data::Box disk_box(int height, int width) {
  const int radius = disk_radius(height, width);
  return {width / 2 - radius, height * 2 / 5 - radius, width / 2 + radius, height * 2 / 5 + radius};
}

}  // namespace remixer::testing
