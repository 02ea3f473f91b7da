// SPDX-License-Identifier: Apache-2.0
// Patch mixing in MLP-Mixer and ConvMixer, with or without ReMixer's mask.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "core/layers/attention.h"
#include "core/layers/basic.h"

namespace remixer::layers {

// MLP-Mixer's token MLP, f(x) = W2 gelu(W1 x + b1) + b2 over patches; masked,
// f(x) - ((1 - M) ⊙ W2 W1) x. x [B, N, C] → [B, N, C].
struct TokenMlp {
  TokenMlp() = default;
  TokenMlp(ParameterMaker& maker, const std::string& name, int64_t patches, int64_t hidden,
           Initial fc1_weight, Initial fc2_weight, Initial bias);
  at::Tensor operator()(const at::Tensor& x, const PatchMask* mask) const;
  Mlp mlp;
};

// ConvMixer's depthwise convolution, weight [C, 1, S, S], or one kernel [1, 1, S, S] and one bias
// shared by all channels. x [B, C, H, W], channels-last for speed.
struct SpatialConv {
  SpatialConv() = default;
  SpatialConv(ParameterMaker& maker, const std::string& name, int64_t channels, int64_t kernel,
              bool shared);
  at::Tensor operator()(const at::Tensor& x, const PatchMask* mask) const;
  at::Tensor weight, bias;
};

}  // namespace remixer::layers
