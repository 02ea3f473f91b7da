// SPDX-License-Identifier: Apache-2.0
// Overlays heat maps on photographs.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/image/image.h"

namespace remixer::explain {

// Colour scale from dark blue over green to yellow for 0 to 1 (clamped): hue and lightness change
// evenly, so that equal steps look equal, also in grey and to the colour-blind. Computed in OKLCh
// (Ottosson, 2020).
std::array<uint8_t, 3> heat_colour(double value);

// A map of grid × grid values, rows from top to bottom.
struct HeatMap {
  int grid = 0;
  std::vector<float> values;
};

// Scales the map from its minimum to its maximum, enlarges it (bicubic) to the image and lays it
// over the image in grey. A constant map is shown as all minimum.
data::Image overlay(const data::Image& image, const HeatMap& map);

// Images of one size side by side with a white gap.
data::Image side_by_side(const std::vector<data::Image>& images);
// Images of one width below each other with a white gap.
data::Image stacked(const std::vector<data::Image>& images);

}  // namespace remixer::explain
