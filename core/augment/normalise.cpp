// SPDX-License-Identifier: Apache-2.0
#include "core/augment/normalise.h"

#include <cstddef>

namespace remixer::data {

Normaliser::Normaliser(const std::array<float, 3>& mean, const std::array<float, 3>& deviation)
    : tables_(3 * 256) {
  for (size_t channel = 0; channel < 3; ++channel) {
    for (size_t value = 0; value < 256; ++value) {
      tables_[channel * 256 + value] =
          (static_cast<float>(value) / 255.0f - mean[channel]) / deviation[channel];
    }
  }
}

void Normaliser::write(const uint8_t* pixels, int width, int height, bool mirrored,
                       float* out) const {
  const float *red = &tables_[0], *green = &tables_[256], *blue = &tables_[512];
  const size_t plane = static_cast<size_t>(width) * height;
  const ptrdiff_t step = mirrored ? -3 : 3;
  for (int y = 0; y < height; ++y) {
    const uint8_t* pixel =
        pixels + (static_cast<size_t>(y) * width + (mirrored ? width - 1 : 0)) * 3;
    float* row = out + static_cast<size_t>(y) * width;
    for (int x = 0; x < width; ++x, pixel += step) {
      row[x] = red[pixel[0]];
      row[plane + x] = green[pixel[1]];
      row[2 * plane + x] = blue[pixel[2]];
    }
  }
}

}  // namespace remixer::data
