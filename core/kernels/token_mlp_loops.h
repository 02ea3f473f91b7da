// SPDX-License-Identifier: Apache-2.0
// Loops over the mask of MLP-Mixer's token MLP on a CPU; float and double. All matrices are one
// image's, with n = N² numbers.
#pragma once

#include <cstdint>

#include "core/kernels/vector_level.h"

namespace remixer::kernels {

// left ← (1 - e^(-κ d)) ⊙ p, accurate for small κ. `level` is one that this processor has.
template <typename T>
void masked_product(int64_t n, const T* d, T kappa, const T* p, T* left,
                    VectorLevel level = vector_level());

// From dleft, the gradient of left: adds that of p; replaces dleft by that of d; returns that of κ.
template <typename T>
double masked_product_backward(int64_t n, const T* d, T kappa, const T* p, T* dleft, T* dp,
                               VectorLevel level = vector_level());

}  // namespace remixer::kernels
