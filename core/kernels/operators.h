// SPDX-License-Identifier: Apache-2.0
// ReMixer's operators. M_ij = exp(-κ·d_ij) scales how much patch j contributes to patch i.
//
// All are differentiable in every real-valued tensor argument, including distance and kappa, run on
// any device and floating type (the same for all arguments of a call, unless autocast chooses), and
// are thread-safe. kappa has one element, >= 0, of any shape; kappa and distance may have a wider
// type than the rest: the mask is computed in distance's type, by the loops for CPUs in x's or q's.
// Wrong shapes and types throw c10::ValueError, which names operator, argument, actual and expected
// value. Strides are free; a batch may be empty. Without gradients (no-grad mode) on a CPU, a kappa
// of 0 costs no work on the mask.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace remixer::kernels {

// Distances between the patch labels of each image: y [B, N, K] → [B, N, N], >= 0.
//   "l1":     Σ_k |y_ik - y_jk|
//   "cosine": 1 - y_i·y_j / (|y_i| |y_j|); 0 between two zero rows, 1 between a zero row and
//             another
// Throws c10::ValueError on another metric.
at::Tensor label_distance(const at::Tensor& y, std::string_view metric);

// Softmax attention reweighted by M and renormalised: softmax(q kᵀ · scale - κ d) v.
// q, k, v [B, H, T, D]; distance [B, N, N] with T = prefix_tokens + N; prefix tokens ([CLS]) come
// first, and their rows and columns have M = 1. scale defaults to 1/√D. → [B, H, T, D].
at::Tensor masked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const at::Tensor& distance, const at::Tensor& kappa,
                            int64_t prefix_tokens = 0, std::optional<double> scale = std::nullopt);

// The same with M = 1 and scale 1/√D: [B, H, T, D] → [B, H, T, D].
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// A linear map over patches with reweighted entries: y_bic = Σ_j M_bij W_ij x_bjc; with
// `complement`, 1 - M replaces M. x [B, N, C], weight [N, N], distance [B, N, N]
// → [B, N, C].
at::Tensor masked_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
                         const at::Tensor& kappa, bool complement = false);

// A depthwise convolution with zero 'same' padding and reweighted terms:
// y_bci = Σ_j M_bij w_c(j - i) x_bcj + bias_c. x [B, C, H, W], weight [1 or C, 1, S, S] with S odd,
// bias [1 or C], distance [B, H·W, H·W] over patches in row order → [B, C, H, W]. Fastest if x is
// channels-last.
at::Tensor masked_conv2d(const at::Tensor& x, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias, const at::Tensor& distance,
                         const at::Tensor& kappa);

// The same with M = 1.
at::Tensor depthwise_conv2d(const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias);

}  // namespace remixer::kernels
