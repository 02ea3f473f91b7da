// SPDX-License-Identifier: Apache-2.0
// Loops of an MLP on a CPU; float and double. gelu(h) = h Φ(h), with Φ the normal distribution
// function; gelu'(h) = Φ(h) + h φ(h).
#pragma once

#include <cstdint>

#include "core/kernels/vector_level.h"

namespace remixer::kernels {

// For each of n numbers h ← h + bias, or bias[i]: writes gelu(h) to g and, unless slope is null,
// gelu'(h) to slope. h may be g or slope. `level` is one that this processor has.
template <typename T>
void gelu(int64_t n, const T* h, T bias, T* g, T* slope, VectorLevel level = vector_level());
template <typename T>
void gelu(int64_t n, const T* h, const T* bias, T* g, T* slope, VectorLevel level = vector_level());

// Σ x_i.
template <typename T>
T sum_of(int64_t n, const T* x, VectorLevel level = vector_level());

// dh ← dg · slope; returns the sum of dh. dh may be dg.
template <typename T>
T gelu_backward(int64_t n, const T* dg, const T* slope, T* dh, VectorLevel level = vector_level());

// dh ← dg · slope, and adds dh to sums, number by number.
template <typename T>
void gelu_backward(int64_t n, const T* dg, const T* slope, T* dh, T* sums,
                   VectorLevel level = vector_level());

}  // namespace remixer::kernels
