// SPDX-License-Identifier: Apache-2.0
// e^x without branches, so that loops over it vectorise.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/kernels/vector_level.h"

namespace remixer::kernels {

// e^x = 2^k (1 + less), |less| < 0.42.
struct SplitExponential {
  float power, less;
};

// For -87 <= x <= 88, to 2 units in the last place; NaN stays NaN in `less`.
REMIXER_BODY SplitExponential split_exponential(float x) {
  // Adding and subtracting 1.5 · 2^23 rounds to an integer.
  const float whole = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
  const float rest = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * rest + 1.3981999507e-3f;
  y = y * rest + 8.3334519073e-3f;
  y = y * rest + 4.1665795894e-2f;
  y = y * rest + 1.6666665459e-1f;
  y = y * rest + 5.0000001201e-1f;
  const float exponent = whole == whole ? whole : 0.0f;
  const uint32_t bits = static_cast<uint32_t>(static_cast<int32_t>(exponent) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return {power, y * rest * rest + rest};
}

REMIXER_BODY float within_exponents(float x) {
  x = x < -87.0f ? -87.0f : x;
  return x > 88.0f ? 88.0f : x;
}

// e^x: 0 below -87, infinite above 88.
REMIXER_BODY float exponential(float x) {
  const SplitExponential e = split_exponential(within_exponents(x));
  const float y = e.power * e.less + e.power;
  return x < -87.0f ? 0.0f : x > 88.0f ? HUGE_VALF : y;
}
REMIXER_BODY double exponential(double x) {
  return std::exp(x);
}

// e^x - 1, accurate for small x.
REMIXER_BODY float exponential_less_one(float x) {
  const SplitExponential e = split_exponential(within_exponents(x));
  const float y = e.power * e.less + (e.power - 1.0f);
  return x > 88.0f ? HUGE_VALF : y;
}
REMIXER_BODY double exponential_less_one(double x) {
  return std::expm1(x);
}

}  // namespace remixer::kernels
