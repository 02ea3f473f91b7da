// SPDX-License-Identifier: Apache-2.0
// Creates a model's parameters and buffers: names them, draws initial values, keeps their order.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace remixer::layers {

// A distribution of initial values.
struct Initial {
  enum class Kind { kConstant, kNormal, kUniform };
  Kind kind;
  double value;

  static Initial constant(double value) { return {Kind::kConstant, value}; }
  // Mean 0, this standard deviation, truncated at ±2 (not at two deviations), like timm's.
  static Initial normal(double deviation) { return {Kind::kNormal, deviation}; }
  // Between -bound and bound.
  static Initial uniform(double bound) { return {Kind::kUniform, bound}; }
};

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// Values depend on the seed and on how many drawn (not constant) parameters came before, so a model
// with κ (a constant) starts with the same values as its plain twin. One thread per object.
class ParameterMaker {
 public:
  // Appends to `parameters` and `buffers`, which must outlive the object. Without a seed nothing is
  // drawn: parameters have shapes, but the caller must set their values.
  ParameterMaker(std::optional<uint64_t> seed, NamedTensors& parameters, NamedTensors& buffers)
      : seed_(seed), parameters_(parameters), buffers_(buffers) {}

  // A float32 parameter that requires gradients.
  at::Tensor parameter(std::string name, at::IntArrayRef shape, Initial initial);
  // A float32 tensor that is saved with the model but not trained.
  at::Tensor buffer(std::string name, at::IntArrayRef shape, double value);

 private:
  std::optional<uint64_t> seed_;
  uint64_t drawn_ = 0;
  NamedTensors& parameters_;
  NamedTensors& buffers_;
};

}  // namespace remixer::layers
