// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/attention_loops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/kernels/avx2.h"

namespace remixer::kernels {
namespace {

// e^x for x ≤ 0, accurate to 2 units in the last place; 0 below -87. Branch-free, so it vectorises:
// 2^(x / ln 2), the integer part into the exponent bits, the rest by a polynomial.
REMIXER_BODY float exponential(float x) {
  const bool vanishes = x < -87.0f;
  x = vanishes ? -87.0f : x;
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
  return vanishes ? 0.0f : y;
}
REMIXER_BODY double exponential(double x) {
  return std::exp(x);
}

template <typename T>
REMIXER_BODY void add_mask(T* scores, int64_t tokens, const RowMask<T>& mask) {
  if (mask.d == nullptr) return;
  T* from = scores + mask.prefix;
  for (int64_t j = 0; j < tokens - mask.prefix; ++j) from[j] -= mask.kappa * mask.d[j];
}

template <typename T>
REMIXER_BODY T softmax_body(T* scores, int64_t tokens, const RowMask<T>& mask, T* sum) {
  add_mask(scores, tokens, mask);
  T most = -std::numeric_limits<T>::infinity();
#pragma omp simd reduction(max : most)
  for (int64_t j = 0; j < tokens; ++j) most = scores[j] > most ? scores[j] : most;
  T total = 0;
#pragma omp simd reduction(+ : total)
  for (int64_t j = 0; j < tokens; ++j) {
    const T p = exponential(scores[j] - most);
    scores[j] = p;
    total += p;
  }
  *sum = total;
  return most;
}

template <typename T>
REMIXER_BODY double backward_body(T* scores, T* dp, int64_t tokens, const RowMask<T>& mask,
                                  T log_sum) {
  add_mask(scores, tokens, mask);
  T mean = 0;
#pragma omp simd reduction(+ : mean)
  for (int64_t j = 0; j < tokens; ++j) {
    const T p = exponential(scores[j] - log_sum);
    scores[j] = p;
    mean += p * dp[j];
  }
#pragma omp simd
  for (int64_t j = 0; j < tokens; ++j) dp[j] = scores[j] * (dp[j] - mean);
  if (mask.d == nullptr) return 0;
  const T* from = dp + mask.prefix;
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < tokens - mask.prefix; ++j) sum += from[j] * mask.d[j];
  return sum;
}

template <typename T>
REMIXER_AVX2 T softmax_avx2(T* scores, int64_t tokens, const RowMask<T>& mask, T* sum) {
  return softmax_body(scores, tokens, mask, sum);
}
template <typename T>
REMIXER_AVX2 double backward_avx2(T* scores, T* dp, int64_t tokens, const RowMask<T>& mask,
                                  T log_sum) {
  return backward_body(scores, dp, tokens, mask, log_sum);
}

}  // namespace

template <typename T>
T softmax_row(T* scores, int64_t tokens, const RowMask<T>& mask, T* sum) {
  return has_avx2() ? softmax_avx2(scores, tokens, mask, sum)
                    : softmax_body(scores, tokens, mask, sum);
}

template <typename T>
double backward_row(T* scores, T* dp, int64_t tokens, const RowMask<T>& mask, T log_sum) {
  return has_avx2() ? backward_avx2(scores, dp, tokens, mask, log_sum)
                    : backward_body(scores, dp, tokens, mask, log_sum);
}

template float softmax_row(float*, int64_t, const RowMask<float>&, float*);
template double softmax_row(double*, int64_t, const RowMask<double>&, double*);
template double backward_row(float*, float*, int64_t, const RowMask<float>&, float);
template double backward_row(double*, double*, int64_t, const RowMask<double>&, double);

}  // namespace remixer::kernels
