// SPDX-License-Identifier: Apache-2.0
#include "core/image/warp.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>

namespace remixer::data {
namespace {

// Rounded to 15 decimals in decimal notation, like Python's round(value, 15).
double round15(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.15f", value);
  return std::strtod(text, nullptr);
}

// Interpolates four values at -1, 0, 1, 2 at d. The order of operations affects the last bit.
inline double cubic(double v1, double v2, double v3, double v4, double d) {
  const double p2 = -v1 + v3;
  const double p3 = 2 * (v1 - v2) + v3 - v4;
  const double p4 = -v1 + v2 - v3 + v4;
  return v2 + d * (p2 + d * (p3 + d * p4));
}

inline uint8_t clip(double value) {
  if (value <= 0) return 0;
  return value >= 255 ? 255 : static_cast<uint8_t>(value);
}

void interpolate(const Image& image, double x, double y, uint8_t* out) {
  x -= 0.5;
  y -= 0.5;
  const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
  const double dx = x - left, dy = y - top;
  const uint8_t* taps[4][4];
  for (int j = 0; j < 4; ++j) {
    const int row = std::clamp(top - 1 + j, 0, image.height - 1);
    for (int i = 0; i < 4; ++i) {
      taps[j][i] = image.at(std::clamp(left - 1 + i, 0, image.width - 1), row);
    }
  }
  for (int c = 0; c < 3; ++c) {
    double rows[4];
    for (int j = 0; j < 4; ++j) {
      rows[j] = cubic(taps[j][0][c], taps[j][1][c], taps[j][2][c], taps[j][3][c], dx);
    }
    out[c] = clip(cubic(rows[0], rows[1], rows[2], rows[3], dy));
  }
}

}  // namespace

Affine rotation(double degrees, int width, int height) {
  // Normalised to [0, 360) first, with the sign of Python's modulo.
  double turn = std::fmod(degrees, 360.0);
  if (turn < 0) turn += 360;
  const double angle = -(turn * (std::numbers::pi / 180));
  const double cosine = round15(std::cos(angle)), sine = round15(std::sin(angle));
  const double x = width / 2.0, y = height / 2.0;
  Affine affine{{cosine, sine, 0, round15(-std::sin(angle)), cosine, 0}};
  affine.m[2] = affine.m[0] * -x + affine.m[1] * -y + 0.0;
  affine.m[5] = affine.m[3] * -x + affine.m[4] * -y + 0.0;
  affine.m[2] += x;
  affine.m[5] += y;
  return affine;
}

Image warp(const Image& image, const Affine& affine, const Colour& fill) {
  const auto& m = affine.m;
  Image result(image.width, image.height);
  uint8_t* out = result.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x, out += 3) {
      const double px = x + 0.5, py = y + 0.5;
      const double from_x = m[0] * px + m[1] * py + m[2], from_y = m[3] * px + m[4] * py + m[5];
      const bool inside =
          from_x >= 0 && from_x < image.width && from_y >= 0 && from_y < image.height;
      if (inside) {
        interpolate(image, from_x, from_y, out);
      } else {
        std::copy(fill.begin(), fill.end(), out);
      }
    }
  }
  return result;
}

}  // namespace remixer::data
