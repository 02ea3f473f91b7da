// SPDX-License-Identifier: Apache-2.0
// Distances of patch labels by the kernels of core/kernels/device, without gradients.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// True where fused_distance takes these labels [B, N, K]: float, bfloat16 or half, a launcher for
// the device, a plain tensor that holds data, no gradient wanted.
bool fused_distance_takes(const at::Tensor& y);

// As label_distance with metric l1 or `cosine`, of labels that are taken, in y's type: the form
// that the masked kernels read, nothing is converted afterwards. Sums are float whatever y is.
at::Tensor fused_distance(const at::Tensor& y, bool cosine);

}  // namespace remixer::kernels
