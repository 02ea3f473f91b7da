// SPDX-License-Identifier: Apache-2.0
// MLP-Mixer's token MLP on a CPU, with gradients: y = W2 gelu(W1 x + b1) + b2, and with a mask
// - ((1 - M) ⊙ W2 W1) x, M_ij = exp(-κ d_ij), added to the same output.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace remixer::kernels {

struct TokenMlpWeights {
  at::Tensor fc1, bias1, fc2, bias2;  // [H, N], [H], [N, H], [N]
};

// True if cpu_token_mlp takes them: cpu_loops_take() does, shapes fit, outside autocast, and
// LibTorch has a BLAS.
bool cpu_token_mlp_takes(const at::Tensor& x, const TokenMlpWeights& weights);

// x [B, N, C]; distance [B, N, N] and kappa, or neither → [B, N, C]. Differentiable once in x,
// weights, distance and kappa. Each image is computed by one thread, and sums over images have a
// fixed order; only products of weights with weights are ATen's.
at::Tensor cpu_token_mlp(const at::Tensor& x, const TokenMlpWeights& weights,
                         const std::optional<at::Tensor>& distance,
                         const std::optional<at::Tensor>& kappa);

}  // namespace remixer::kernels
