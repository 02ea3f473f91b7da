// SPDX-License-Identifier: Apache-2.0
#include "core/layers/patch_mixing.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/matmul.h>

#include "core/kernels/mask.h"
#include "core/kernels/operators.h"
#include "core/kernels/token_mlp_cpu.h"

namespace remixer::layers {

TokenMlp::TokenMlp(ParameterMaker& maker, const std::string& name, int64_t patches, int64_t hidden,
                   Initial fc1_weight, Initial fc2_weight, Initial bias)
    : mlp(maker, name, patches, hidden, fc1_weight, fc2_weight, bias) {}

at::Tensor TokenMlp::operator()(const at::Tensor& x, const PatchMask* mask) const {
  const kernels::TokenMlpWeights weights{mlp.fc1.weight, mlp.fc1.bias, mlp.fc2.weight,
                                         mlp.fc2.bias};
  if (kernels::cpu_token_mlp_takes(x, weights)) {
    const bool masked = mask != nullptr && !kernels::mask_is_one(mask->kappa);
    return masked ? kernels::cpu_token_mlp(x, weights, mask->distance, mask->kappa)
                  : kernels::cpu_token_mlp(x, weights, std::nullopt, std::nullopt);
  }
  const at::Tensor mixed = mlp(x.transpose(1, 2)).transpose(1, 2);
  if (mask == nullptr || kernels::mask_is_one(mask->kappa)) return mixed;
  const at::Tensor product = at::matmul(mlp.fc2.weight, mlp.fc1.weight);
  return mixed -
         kernels::masked_linear(x, product, mask->distance, mask->kappa, /*complement=*/true);
}

SpatialConv::SpatialConv(ParameterMaker& maker, const std::string& name, int64_t channels,
                         int64_t kernel, bool shared) {
  const int64_t kernels = shared ? 1 : channels;
  const Initial initial = fan_in_uniform(kernel * kernel);
  weight = maker.parameter(name + ".weight", {kernels, 1, kernel, kernel}, initial);
  bias = maker.parameter(name + ".bias", {kernels}, initial);
}

at::Tensor SpatialConv::operator()(const at::Tensor& x, const PatchMask* mask) const {
  if (mask != nullptr) return kernels::masked_conv2d(x, weight, bias, mask->distance, mask->kappa);
  return kernels::depthwise_conv2d(x, weight, bias);
}

}  // namespace remixer::layers
