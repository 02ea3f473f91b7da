// SPDX-License-Identifier: Apache-2.0
// GELU, x Φ(x) with Φ the normal distribution function, alone and after a linear map. On a CPU, for
// float and double, each is one pass over memory, and so is its backward pass: the derivative is
// computed with the value and kept in place of x. Elsewhere, while tracing and,
// for a linear map, under autocast they are ATen's operations. Differentiable once in each
// argument. Shapes that do not fit throw what ATen throws.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

at::Tensor gelu(const at::Tensor& x);

// gelu(x Wᵀ + b): x [..., K], weight [H, K], bias [H] → [..., H].
at::Tensor linear_gelu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace remixer::kernels
