// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/attention_loops.h"

#include <algorithm>
#include <limits>

#include "core/kernels/exponential.h"

namespace remixer::kernels {
namespace {

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

}  // namespace

template <typename T>
T softmax_row(T* scores, int64_t tokens, const RowMask<T>& mask, T* sum, VectorLevel level) {
  T most = 0;
  run_at(level, [&](auto) REMIXER_INLINED { most = softmax_body(scores, tokens, mask, sum); });
  return most;
}

template <typename T>
double backward_row(T* scores, T* dp, int64_t tokens, const RowMask<T>& mask, T log_sum,
                    VectorLevel level) {
  double slope = 0;
  run_at(level,
         [&](auto) REMIXER_INLINED { slope = backward_body(scores, dp, tokens, mask, log_sum); });
  return slope;
}

template float softmax_row(float*, int64_t, const RowMask<float>&, float*, VectorLevel);
template double softmax_row(double*, int64_t, const RowMask<double>&, double*, VectorLevel);
template double backward_row(float*, float*, int64_t, const RowMask<float>&, float, VectorLevel);
template double backward_row(double*, double*, int64_t, const RowMask<double>&, double,
                             VectorLevel);

}  // namespace remixer::kernels
