// SPDX-License-Identifier: Apache-2.0
// Affine transforms like Pillow's Image.transform(AFFINE, BICUBIC, fillcolor), byte for
// byte.
#pragma once

#include <array>
#include <cstdint>

#include "core/image/image.h"

namespace remixer::data {

// Maps output to input positions, in pixels (a pixel's centre is at its half): output (x, y) shows
// (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]).
struct Affine {
  std::array<double, 6> m{1, 0, 0, 0, 1, 0};
  bool operator==(const Affine&) const = default;
};

// Rotates by `degrees` counter-clockwise about the centre, like Image.rotate().
Affine rotation(double degrees, int width, int height);

using Colour = std::array<uint8_t, 3>;

// An image of the same size whose pixels come from the positions given by `affine`, by bicubic
// interpolation (a = -1, edge pixels repeated); pixels from outside get `fill`.
Image warp(const Image& image, const Affine& affine, const Colour& fill);

}  // namespace remixer::data
