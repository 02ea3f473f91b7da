// SPDX-License-Identifier: Apache-2.0
// e^x without branches, so that loops over it vectorise.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/kernels/vector_level.h"

namespace remixer::kernels {

// Accurate to 2 units in the last place; 0 below -87, infinite above 88. 2^(x / ln 2): the integer
// part into the exponent bits, the rest by a polynomial. NaN stays NaN.
REMIXER_BODY float exponential(float x) {
  const bool vanishes = x<-87.0f, explodes = x> 88.0f;
  x = vanishes ? -87.0f : x;
  x = explodes ? 88.0f : x;
  // Adding and subtracting 1.5 · 2^23 rounds to an integer.
  const float whole = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
  const float rest = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * rest + 1.3981999507e-3f;
  y = y * rest + 8.3334519073e-3f;
  y = y * rest + 4.1665795894e-2f;
  y = y * rest + 1.6666665459e-1f;
  y = y * rest + 5.0000001201e-1f;
  y = y * rest * rest + rest + 1.0f;
  int32_t bits;
  std::memcpy(&bits, &y, sizeof bits);
  bits += static_cast<int32_t>(whole) * (1 << 23);
  std::memcpy(&y, &bits, sizeof y);
  y = explodes ? HUGE_VALF : y;
  return vanishes ? 0.0f : y;
}
REMIXER_BODY double exponential(double x) {
  return std::exp(x);
}

}  // namespace remixer::kernels
