// SPDX-License-Identifier: Apache-2.0
// Masked attention on a CPU, block by block: no full T × T matrix of a head is stored.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// True if cpu_attention takes these: cpu_loops_take() does, and LibTorch exports its matrix product
// under BLAS's names (PyPI's does).
bool cpu_attention_takes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// As masked_attention, for checked arguments that are taken; no gradient of the distance.
// Differentiable once in q, k, v and kappa. Results do not depend on the number of threads.
at::Tensor cpu_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                         const at::Tensor& distance, const at::Tensor& kappa, int64_t prefix_tokens,
                         double scale);

}  // namespace remixer::kernels
