// SPDX-License-Identifier: Apache-2.0
// Masked depthwise convolution on a CPU, with gradients, by loops over a patch's neighbours.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace remixer::kernels {

// For tensors that cpu_loops_take(). x [B, C, H, W], weight [K, 1, S, S] with K = 1 or C, bias [K]
// or none; distance [B, N, N] and kappa, or neither for M = 1. → [B, C, H, W], channels-last.
// Differentiable once in each of them. Results do not depend on the number of threads.
at::Tensor cpu_conv2d(const at::Tensor& x, const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias,
                      const std::optional<at::Tensor>& distance,
                      const std::optional<at::Tensor>& kappa);

}  // namespace remixer::kernels
