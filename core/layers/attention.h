// SPDX-License-Identifier: Apache-2.0
// Self-attention over tokens, with or without ReMixer's mask.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "core/layers/basic.h"

namespace remixer::layers {

// ReMixer's inputs to a layer: distance [B, N, N] of the batch and the layer's own kappa.
struct PatchMask {
  at::Tensor distance, kappa;
};

// Multi-head attention (timm's names: qkv, proj).
struct Attention {
  Attention() = default;
  Attention(ParameterMaker& maker, const std::string& name, int64_t width, int64_t heads,
            bool qkv_bias);
  // x [B, prefix_tokens + N, C]; mask null for plain attention.
  // `trace`, if given, receives the attention.
  at::Tensor operator()(const at::Tensor& x, const PatchMask* mask, int64_t prefix_tokens,
                        ForwardTrace* trace = nullptr) const;
  // Row 0 of the same, [B, 1, C], for a block after which only [CLS] is used. Its mask is 1, so
  // kappa has no effect; the gradient of a given kappa is 0.
  at::Tensor first_token(const at::Tensor& x, const PatchMask* mask,
                         ForwardTrace* trace = nullptr) const;
  int64_t heads = 0;
  Linear qkv, proj;
};

// ConViT's gated positional self-attention over patches only (timm's names: qk, v, proj, pos_proj,
// gating_param). A head's attention is (1 - σ(g)) softmax(q kᵀ/√d) + σ(g) softmax(position), then
// multiplied by the mask, if there is one, and renormalised. Initialised as a convolution: each of
// the first ⌊√heads⌋² heads looks at one place around the patch.
struct GatedPositionalAttention {
  GatedPositionalAttention() = default;
  // grid: patches per side.
  GatedPositionalAttention(ParameterMaker& maker, const std::string& name, int64_t width,
                           int64_t heads, bool qkv_bias, int64_t grid);
  // x [B, grid², C]. One thread at a time.
  at::Tensor operator()(const at::Tensor& x, const PatchMask* mask,
                        ForwardTrace* trace = nullptr) const;
  int64_t heads = 0;
  Linear qk, v, proj, pos_proj;
  at::Tensor gating_param;  // [heads]

 private:
  const at::Tensor& relative(const at::Tensor& like) const;
  at::Tensor relative_;        // [N, N, 3]: from patch i to j, columns, rows and their squares' sum
  mutable at::Tensor placed_;  // the same, on the device and in the type last used
};

}  // namespace remixer::layers
