// SPDX-License-Identifier: Apache-2.0
// Mask M = exp(-κ·d): what the masked operators share.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// True where no gradient is wanted and kappa, readable without a wait for a device, is 0: M is 1.
bool mask_is_one(const at::Tensor& kappa);

// -κ d in distance's type; any shape of distance. Its exp may follow: vector math is settled.
at::Tensor log_mask(const at::Tensor& distance, const at::Tensor& kappa);

// Throws c10::ValueError in the name of `op` where kappa has not one element or distance is not
// [batch, patches, patches], where one is not of a floating type, and where distance is on another
// device than `like`. kappa may be a scalar of the CPU.
void check_mask(const char* op, const at::Tensor& distance, const at::Tensor& kappa,
                const at::Tensor& like, int64_t batch, int64_t patches);

// Throws c10::ValueError in the name of `op` where `tensor`, its argument `name`, is not of the
// floating type and device of `like`, its argument `like_name`. Under autocast types are free.
void check_alike(const char* op, const char* name, const at::Tensor& tensor, const char* like_name,
                 const at::Tensor& like);

}  // namespace remixer::kernels
