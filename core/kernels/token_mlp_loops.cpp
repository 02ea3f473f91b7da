// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/token_mlp_loops.h"

#include "core/kernels/exponential.h"

namespace remixer::kernels {
namespace {

template <typename T>
REMIXER_BODY double backward_body(int64_t n, const T* d, T kappa, const T* p, T* dleft, T* dp) {
  // Sums of a row's length in T, and those in double.
  constexpr int64_t kBlock = 256;
  double sum = 0;
  for (int64_t from = 0; from < n; from += kBlock) {
    const int64_t end = from + kBlock < n ? from + kBlock : n;
    T block = 0;
#pragma omp simd reduction(+ : block)
    for (int64_t i = from; i < end; ++i) {
      const T less = exponential_less_one(-kappa * d[i]), slope = dleft[i];
      dp[i] -= less * slope;
      const T of_exponent = slope * p[i] * (less + 1);
      block += of_exponent * d[i];
      dleft[i] = kappa * of_exponent;
    }
    sum += block;
  }
  return sum;
}

}  // namespace

template <typename T>
void masked_product(int64_t n, const T* d, T kappa, const T* p, T* left, VectorLevel level) {
  run_at(level, [&](auto) REMIXER_INLINED {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) left[i] = -exponential_less_one(-kappa * d[i]) * p[i];
  });
}

template <typename T>
double masked_product_backward(int64_t n, const T* d, T kappa, const T* p, T* dleft, T* dp,
                               VectorLevel level) {
  double sum = 0;
  run_at(level, [&](auto) REMIXER_INLINED { sum = backward_body(n, d, kappa, p, dleft, dp); });
  return sum;
}

#define REMIXER_TOKEN_MLP_LOOPS(T)                                               \
  template void masked_product(int64_t, const T*, T, const T*, T*, VectorLevel); \
  template double masked_product_backward(int64_t, const T*, T, const T*, T*, T*, VectorLevel);
REMIXER_TOKEN_MLP_LOOPS(float)
REMIXER_TOKEN_MLP_LOOPS(double)
#undef REMIXER_TOKEN_MLP_LOOPS

}  // namespace remixer::kernels
