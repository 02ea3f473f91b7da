// What the masked operators share.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// True where no gradient is wanted and kappa, readable without a wait for a device, is 0: M is 1.
bool mask_is_one(const at::Tensor& kappa);

// -κ d in distance's type; any shape of distance.
at::Tensor log_mask(const at::Tensor& distance, const at::Tensor& kappa);

// Throws c10::Error where kappa has not one element or distance is not [batch, patches, patches].
void check_mask(const at::Tensor& distance, const at::Tensor& kappa, int64_t batch,
                int64_t patches);

}  // namespace remixer::kernels
