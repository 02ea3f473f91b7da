// SPDX-License-Identifier: Apache-2.0
#include "core/layers/basic.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

#include <cassert>
#include <cmath>
#include <utility>

#include "core/kernels/gelu.h"

namespace remixer::layers {

Linear::Linear(ParameterMaker& maker, const std::string& name, int64_t in, int64_t out,
               Initial weight_values, std::optional<Initial> bias_values)
    : weight(maker.parameter(name + ".weight", {out, in}, weight_values)) {
  if (bias_values) bias = maker.parameter(name + ".bias", {out}, *bias_values);
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

Initial fan_in_uniform(int64_t fan_in) {
  return Initial::uniform(1 / std::sqrt(static_cast<double>(fan_in)));
}

LayerNorm::LayerNorm(ParameterMaker& maker, const std::string& name, int64_t width)
    : weight(maker.parameter(name + ".weight", {width}, Initial::constant(1))),
      bias(maker.parameter(name + ".bias", {width}, Initial::constant(0))) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  constexpr double kEpsilon = 1e-6;
  return at::layer_norm(x, weight.sizes(), weight, bias, kEpsilon);
}

BatchNorm::BatchNorm(ParameterMaker& maker, const std::string& name, int64_t channels)
    : weight(maker.parameter(name + ".weight", {channels}, Initial::constant(1))),
      bias(maker.parameter(name + ".bias", {channels}, Initial::constant(0))),
      running_mean(maker.buffer(name + ".running_mean", {channels}, 0)),
      running_var(maker.buffer(name + ".running_var", {channels}, 1)) {}

at::Tensor BatchNorm::operator()(const at::Tensor& x, const ForwardMode& mode) const {
  constexpr double kMomentum = 0.1, kEpsilon = 1e-5;
  const bool running = !mode.training || mode.update_running_stats;
  const auto keep = [running](const at::Tensor& t) {
    return running ? std::optional(t) : std::nullopt;
  };
  return at::batch_norm(x, weight, bias, keep(running_mean), keep(running_var), mode.training,
                        kMomentum, kEpsilon, /*cudnn_enabled=*/true);
}

Mlp::Mlp(ParameterMaker& maker, const std::string& name, int64_t width, int64_t hidden,
         Initial fc1_weight, Initial fc2_weight, Initial bias)
    : fc1(maker, name + ".fc1", width, hidden, fc1_weight, bias),
      fc2(maker, name + ".fc2", hidden, width, fc2_weight, bias) {}

at::Tensor Mlp::operator()(const at::Tensor& x) const {
  return fc2(kernels::linear_gelu(x, fc1.weight, fc1.bias));
}

PatchEmbed::PatchEmbed(ParameterMaker& maker, const std::string& name, int64_t patch, int64_t width,
                       Initial weight_values, Initial bias_values)
    : weight(maker.parameter(name + ".weight", {width, 3, patch, patch}, weight_values)),
      bias(maker.parameter(name + ".bias", {width}, bias_values)) {}

at::Tensor PatchEmbed::operator()(const at::Tensor& images) const {
  // A convolution whose stride equals its kernel size is a linear map of each patch: a single
  // product, and the tokens come out in rows.
  const int64_t patch = weight.size(2), batch = images.size(0), grid = images.size(2) / patch;
  const at::Tensor patches = images.view({batch, 3, grid, patch, grid, patch})
                                 .permute({0, 2, 4, 1, 3, 5})
                                 .reshape({batch, grid * grid, 3 * patch * patch});
  return at::linear(patches, weight.flatten(1), bias);
}

at::Tensor host_buffer(at::IntArrayRef shape, at::Device device) {
  return at::empty(shape, at::TensorOptions(at::kFloat).pinned_memory(device.is_cuda()));
}

at::Tensor sent(const at::Tensor& buffer, const at::Tensor& like) {
  // Copy first, then convert: converting on the host first would need a wait.
  return buffer.to(like.device(), /*non_blocking=*/true).to(like.scalar_type());
}

namespace {

// 0 for a branch that is dropped, with probability `rate`; else 1 / (1 - rate).
void draw_paths(Random& random, double rate, int64_t samples, float* factors) {
  for (int64_t i = 0; i < samples; ++i) {
    factors[i] = random.uniform() < rate ? 0.0F : static_cast<float>(1 / (1 - rate));
  }
}

// The same for a batch, [samples] float on `device`.
at::Tensor sent_paths(Random& random, double rate, int64_t samples, at::Device device) {
  const at::Tensor factors = host_buffer({samples}, device);
  draw_paths(random, rate, samples, factors.mutable_data_ptr<float>());
  return factors.to(device, /*non_blocking=*/true);
}

}  // namespace

void FixedPaths::fix(at::Device device) {
  int64_t total = 0;
  for (const Branch& branch : branches_) total += branch.samples;
  factors_ = at::empty({total}, at::TensorOptions(at::kFloat).device(device));
  random_ = nullptr;
  next_ = 0;
  offset_ = 0;
}

void FixedPaths::draw(Random& random) {
  if (branches_.empty()) return;
  const at::Tensor factors = host_buffer(factors_.sizes(), factors_.device());
  float* values = factors.mutable_data_ptr<float>();
  for (const Branch& branch : branches_) {
    draw_paths(random, branch.rate, branch.samples, values);
    values += branch.samples;
  }
  factors_.copy_(factors, /*non_blocking=*/true);
}

at::Tensor FixedPaths::next(double rate, const at::Tensor& like) {
  const int64_t samples = like.size(0);
  if (random_ != nullptr) {
    branches_.push_back({rate, samples});
    return sent_paths(*random_, rate, samples, like.device());
  }
  const Branch& branch = branches_.at(next_++);
  assert(branch.rate == rate && branch.samples == samples);
  return factors_.narrow(0, std::exchange(offset_, offset_ + branch.samples), branch.samples);
}

at::Tensor drop_path(const at::Tensor& x, double rate, const ForwardMode& mode) {
  if (rate == 0 || !mode.training) return x;
  std::vector<int64_t> shape(x.dim(), 1);
  shape[0] = x.size(0);
  assert(mode.random != nullptr || mode.paths != nullptr);
  const at::Tensor keep = mode.paths != nullptr
                              ? mode.paths->next(rate, x)
                              : sent_paths(*mode.random, rate, x.size(0), x.device());
  return x * keep.to(x.scalar_type()).view(shape);
}

}  // namespace remixer::layers
