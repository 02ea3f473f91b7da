// SPDX-License-Identifier: Apache-2.0
// Masked attention on a CPU, block by block: no T × T matrix of a head is ever there whole.
#pragma once

#include <ATen/core/Tensor.h>

namespace remixer::kernels {

// True where cpu_attention takes these: plain float or double tensors of a CPU with something in
// them, no gradient wanted of the distance, and a LibTorch that offers its matrix product by BLAS's
// name (PyPI's does).
bool cpu_attention_takes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                         const at::Tensor& distance);

// As masked_attention, of arguments that were checked and are taken. Differentiable once in q, k, v
// and kappa. Results do not depend on the number of threads.
at::Tensor cpu_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                         const at::Tensor& distance, const at::Tensor& kappa, int64_t prefix_tokens,
                         double scale);

}  // namespace remixer::kernels
