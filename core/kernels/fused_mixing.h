// SPDX-License-Identifier: Apache-2.0
// Masked mixing of patches by the kernels of core/kernels/device, with gradients.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// True if fused_mixing takes these: x and weight both bfloat16 or both half, channels a multiple of
// 8, a non-empty batch, a launcher for the device, plain tensors.
bool fused_mixing_takes(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
                        const at::Tensor& kappa);

// y_b = A_b x_b with A_bij = f(κ d_bij) W_ij, f(u) = e^-u or, with `complement`, 1 - e^-u; x
// [B, N, C]. weight is W [N, N], or if columns > 0 a kernel [S, S], S odd, on a grid `columns`
// patches wide. Differentiable once in every tensor. Two runs give the same bits.
at::Tensor fused_mixing(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
                        const at::Tensor& kappa, bool complement, int64_t columns);

}  // namespace remixer::kernels
