// SPDX-License-Identifier: Apache-2.0
// Masked attention by the kernels of core/kernels/device, with gradients.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// True if fused_attention takes these: bfloat16 or half, D a multiple of 8 up to 128, a non-empty
// batch, a launcher for the device, plain tensors, and no gradient wanted for the distance (the
// kernels do not compute its sum over heads).
bool fused_attention_takes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const at::Tensor& distance, const at::Tensor& kappa);

// As masked_attention, for checked arguments that are taken. Differentiable once in q, k, v and
// kappa. Two runs give the same bits.
at::Tensor fused_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const at::Tensor& distance, const at::Tensor& kappa,
                           int64_t prefix_tokens, double scale);

}  // namespace remixer::kernels
