// SPDX-License-Identifier: Apache-2.0
#include "core/layers/parameters.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <cmath>

#include "base/random.h"

namespace remixer::layers {
namespace {

double cut_normal(Random& random, double deviation) {
  constexpr double kCut = 2;
  for (;;) {
    const double value = deviation * random.normal();
    if (std::abs(value) <= kCut) return value;
  }
}

}  // namespace

at::Tensor ParameterMaker::parameter(std::string name, at::IntArrayRef shape, Initial initial) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  if (initial.kind == Initial::Kind::kConstant) {
    tensor.fill_(initial.value);
  } else if (seed_) {
    Random random(*seed_, RandomPurpose::kInitialise, drawn_++);
    float* values = tensor.mutable_data_ptr<float>();
    for (int64_t i = 0; i < tensor.numel(); ++i) {
      values[i] = static_cast<float>(initial.kind == Initial::Kind::kNormal
                                         ? cut_normal(random, initial.value)
                                         : random.uniform(-initial.value, initial.value));
    }
  }
  tensor.set_requires_grad(true);
  parameters_.emplace_back(std::move(name), tensor);
  return tensor;
}

at::Tensor ParameterMaker::buffer(std::string name, at::IntArrayRef shape, double value) {
  at::Tensor tensor = at::full(shape, value, at::kFloat);
  buffers_.emplace_back(std::move(name), tensor);
  return tensor;
}

}  // namespace remixer::layers
