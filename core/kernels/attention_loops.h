// SPDX-License-Identifier: Apache-2.0
// Row loops of masked attention on a CPU; float and double.
//
// A row belongs to one query i over T tokens. `d` holds its distances to the patches, d[j - prefix]
// for token j, or is null if i is a prefix token: then, as for j < prefix, the mask is 1. `level`
// is one that this processor has.
#pragma once

#include <cstdint>

#include "core/kernels/vector_level.h"

namespace remixer::kernels {

template <typename T>
struct RowMask {
  const T* d = nullptr;
  int64_t prefix = 0;
  T kappa = 0;
};

// scores[j] ← exp(scores[j] - κ d_j - m), where m is the largest exponent, and
// *sum ← their sum; returns m.
template <typename T>
T softmax_row(T* scores, int64_t tokens, const RowMask<T>& mask, T* sum,
              VectorLevel level = vector_level());

// From scores and dP: scores[j] ← P_j = exp(scores[j] - κ d_j - log_sum), dp[j] ← dS_j =
// P_j (dP_j - Σ P dP); returns Σ_j dS_j d_j.
template <typename T>
double backward_row(T* scores, T* dp, int64_t tokens, const RowMask<T>& mask, T log_sum,
                    VectorLevel level = vector_level());

}  // namespace remixer::kernels
