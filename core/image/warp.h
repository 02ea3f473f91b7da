// SPDX-License-Identifier: Apache-2.0
// Affine transforms as Pillow's Image.transform(AFFINE, BICUBIC, fillcolor) does them, byte for
// byte.
#pragma once

#include <array>
#include <cstdint>

#include "core/image/image.h"

namespace remixer::data {

// Where a point of the output comes from, in pixels (a pixel's centre is at its half): (x, y) shows
// (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]).
struct Affine {
  std::array<double, 6> m{1, 0, 0, 0, 1, 0};
  bool operator==(const Affine&) const = default;
};

// Turned by `degrees` counter-clockwise about the centre, as Image.rotate() does.
Affine rotation(double degrees, int width, int height);

using Colour = std::array<uint8_t, 3>;

// The image of the same size whose pixels come from where `affine` says, by bicubic interpolation
// (a = -1, edge pixels repeated); those from outside get `fill`.
Image warp(const Image& image, const Affine& affine, const Colour& fill);

}  // namespace remixer::data
