// SPDX-License-Identifier: Apache-2.0
// Basic layers shared by all model families. Each holds handles to the model's own parameters.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "core/layers/forward_mode.h"
#include "core/layers/parameters.h"

namespace remixer::layers {

// x [..., in] → [..., out]; weight [out, in]; bias [out] or undefined.
struct Linear {
  Linear() = default;
  // `bias` without a value: none.
  Linear(ParameterMaker& maker, const std::string& name, int64_t in, int64_t out, Initial weight,
         std::optional<Initial> bias);
  at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor weight, bias;
};

// PyTorch's own initialisation of a linear or convolution layer: both uniform in ±1/√fan_in.
Initial fan_in_uniform(int64_t fan_in);

// Over the last dimension, epsilon 1e-6.
struct LayerNorm {
  LayerNorm() = default;
  LayerNorm(ParameterMaker& maker, const std::string& name, int64_t width);
  at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor weight, bias;
};

// Over all but dimension 1 of x [B, C, H, W], epsilon 1e-5. Training uses the batch's statistics;
// the running ones are updated (momentum 0.1) only if mode says so.
struct BatchNorm {
  BatchNorm() = default;
  BatchNorm(ParameterMaker& maker, const std::string& name, int64_t channels);
  at::Tensor operator()(const at::Tensor& x, const ForwardMode& mode) const;
  at::Tensor weight, bias, running_mean, running_var;
};

// fc2(gelu(fc1(x))).
struct Mlp {
  Mlp() = default;
  Mlp(ParameterMaker& maker, const std::string& name, int64_t width, int64_t hidden,
      Initial fc1_weight, Initial fc2_weight, Initial bias);
  at::Tensor operator()(const at::Tensor& x) const;
  Linear fc1, fc2;
};

// Cuts images [B, 3, S, S] into P × P patches and maps each linearly: → tokens [B, (S/P)², C] in
// row order. weight [C, 3, P, P], as in a convolution.
struct PatchEmbed {
  PatchEmbed() = default;
  PatchEmbed(ParameterMaker& maker, const std::string& name, int64_t patch, int64_t width,
             Initial weight, Initial bias);
  at::Tensor operator()(const at::Tensor& images) const;
  at::Tensor weight, bias;
};

// A float tensor on the host, to be filled and sent to a device; for a GPU it is in page-locked
// memory, so that sending does not wait for the GPU's queued work.
at::Tensor host_buffer(at::IntArrayRef shape, at::Device device);
// The same numbers on `like`'s device and in its type.
at::Tensor sent(const at::Tensor& buffer, const at::Tensor& like);

// Stochastic depth: in training each sample of x keeps its branch with probability 1 - rate, scaled
// by 1 / (1 - rate). If rate > 0, draws one number per sample from mode.random, or
// takes those of mode.paths.
at::Tensor drop_path(const at::Tensor& x, double rate, const ForwardMode& mode);

}  // namespace remixer::layers
