// SPDX-License-Identifier: Apache-2.0
// Cosine distances of labels that name few of many classes, on a CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace remixer::kernels {

// label_distance(y, "cosine") without the product over all K classes; nothing if y [B, N, K] is not
// such a tensor: float, on a CPU, many classes, no gradient wanted. The result does not depend on
// the number of threads.
std::optional<at::Tensor> sparse_cosine_distance(const at::Tensor& y);

}  // namespace remixer::kernels
