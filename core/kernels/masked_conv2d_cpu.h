// SPDX-License-Identifier: Apache-2.0
// Masked depthwise convolution on a CPU, with gradients, by loops over a patch's neighbours.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace remixer::kernels {

// True if cpu_conv2d takes them: plain float or double tensors on a CPU.
bool cpu_conv2d_takes(const at::Tensor& x, const at::Tensor& weight);

// x [B, C, H, W], weight [1 or C, 1, S, S], bias [1 or C] or none; distance [B, N, N] and kappa, or
// neither for M = 1. → [B, C, H, W], channels-last. Differentiable once in each of them. Results do
// not depend on the number of threads.
at::Tensor cpu_conv2d(const at::Tensor& x, const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias,
                      const std::optional<at::Tensor>& distance,
                      const std::optional<at::Tensor>& kappa);

}  // namespace remixer::kernels
