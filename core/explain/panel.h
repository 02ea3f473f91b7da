// SPDX-License-Identifier: Apache-2.0
// Draws heat maps over photographs.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/image/image.h"

namespace remixer::explain {

// Dark blue over green to yellow for 0 to 1 (beyond: the ends): hue turns evenly while lightness
// rises evenly, so that equal steps look equal, also in grey and to the colour-blind. Computed in
// OKLCh (Ottosson, 2020).
std::array<uint8_t, 3> heat_colour(double value);

// A map of grid × grid values, rows top to bottom, and what it is a map of.
struct HeatMap {
  int grid = 0;
  std::vector<float> values;
};

// The map, scaled from its least to its largest value, enlarged smoothly (bicubic) to the image and
// laid over its grey form. A map of one value throughout is all least.
data::Image overlay(const data::Image& image, const HeatMap& map);

// Images of one size side by side with a white gap.
data::Image side_by_side(const std::vector<data::Image>& images);
// Images of one width below each other with a white gap.
data::Image stacked(const std::vector<data::Image>& images);

}  // namespace remixer::explain
