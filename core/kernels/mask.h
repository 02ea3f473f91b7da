// SPDX-License-Identifier: Apache-2.0
// Mask M = exp(-κ·d): shared code of the masked operators.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// True if no gradient is wanted and kappa, readable without waiting for a device, is 0: M is 1.
bool mask_is_one(const at::Tensor& kappa);

// -κ d in distance's type; any shape of distance. exp may follow: vector math is initialised.
at::Tensor log_mask(const at::Tensor& distance, const at::Tensor& kappa);

// Throws c10::ValueError in the name of `op` if kappa does not have exactly one element, if
// distance is not [batch, patches, patches] or not on like's device, or if either is not of a
// floating type. kappa may be a scalar on the CPU.
void check_mask(const char* op, const at::Tensor& distance, const at::Tensor& kappa,
                const at::Tensor& like, int64_t batch, int64_t patches);

// Throws c10::ValueError in the name of `op` if `tensor` (its argument `name`) differs in floating
// type or device from `like` (its argument `like_name`). Under autocast, types are free.
void check_alike(const char* op, const char* name, const at::Tensor& tensor, const char* like_name,
                 const at::Tensor& like);

}  // namespace remixer::kernels
