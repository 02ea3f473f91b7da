// SPDX-License-Identifier: Apache-2.0
// Masked depthwise convolution on a CPU, with gradients, by loops over a patch's neighbours.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace remixer::kernels {

// True if cpu_conv2d takes it: a plain float or double tensor on a CPU.
bool cpu_conv2d_takes(const at::Tensor& x);

// x [B, C, H, W], weight [1 or C, 1, S, S], mask [B, H·W, S²] or none for M = 1; no bias.
// → [B, C, H, W], channels-last. Differentiable once in x, weight and mask. Results do not depend
// on the number of threads.
at::Tensor cpu_conv2d(const at::Tensor& x, const at::Tensor& weight,
                      const std::optional<at::Tensor>& mask);

}  // namespace remixer::kernels
