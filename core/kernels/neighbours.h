// SPDX-License-Identifier: Apache-2.0
// Neighbours of each patch under an S × S kernel.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// For each patch and each of the S² places under the kernel, the patch at that place, or N if it is
// outside: [N, S²], int64.
at::Tensor neighbours(int64_t height, int64_t width, int64_t kernel, at::Device device);

}  // namespace remixer::kernels
