// SPDX-License-Identifier: Apache-2.0
// Makes a model's parameters and buffers: names them, draws initial values, keeps the order.
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
  // Mean 0, this standard deviation, cut off at ±2 (not at two deviations: as timm's).
  static Initial normal(double deviation) { return {Kind::kNormal, deviation}; }
  // Between -bound and bound.
  static Initial uniform(double bound) { return {Kind::kUniform, bound}; }
};

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// Values depend on the seed and on how many drawn (not constant) parameters came before, so a model
// with κ, which is a constant, begins as its plain twin does. One thread an object.
class ParameterMaker {
 public:
  // Appends to `parameters` and `buffers`, which must outlive the object. Without a seed nothing is
  // drawn: parameters have shapes, and values that the caller must set.
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
