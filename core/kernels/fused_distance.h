// SPDX-License-Identifier: Apache-2.0
// Distances between patch labels by the kernels of core/kernels/device, without gradients.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// True if fused_distance takes these labels [B, N, K]: float, bfloat16 or half, a launcher for the
// device, a plain non-empty tensor, no gradient wanted.
bool fused_distance_takes(const at::Tensor& y);

// As label_distance with metric l1 or `cosine`, for labels that are taken, in y's type: the masked
// kernels read it without conversion. Sums are always float.
at::Tensor fused_distance(const at::Tensor& y, bool cosine);

}  // namespace remixer::kernels
