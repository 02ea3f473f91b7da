// SPDX-License-Identifier: Apache-2.0
// Normalises 8-bit pixels to a model's input.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace remixer::data {

// Computes (value / 255 - mean) / deviation per channel by table lookup. Immutable; thread-safe.
class Normaliser {
 public:
  Normaliser(const std::array<float, 3>& mean, const std::array<float, 3>& deviation);

  // Interleaved RGB pixels[height][width] to out[3][height][width], optionally mirrored.
  void write(const uint8_t* pixels, int width, int height, bool mirrored, float* out) const;

 private:
  std::vector<float> tables_;  // [3][256]
};

}  // namespace remixer::data
