// SPDX-License-Identifier: Apache-2.0
// Draws and comparisons for tests of tensor code.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "base/random.h"

namespace remixer::testing {

// Double tensors of a fixed stream: the same on every run.
class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed, RandomPurpose::kTest) {}
  at::Tensor normal(at::IntArrayRef shape);
  at::Tensor uniform(at::IntArrayRef shape, double low = 0, double high = 1);

 private:
  Random random_;
};

// Largest absolute difference.
double difference(const at::Tensor& a, const at::Tensor& b);

// Compares autograd's gradient of a weighted sum of f(arguments), in every element of every
// argument, with central differences; reports each argument that is off as a test failure. All
// double.
using TensorFunction = std::function<at::Tensor(const std::vector<at::Tensor>&)>;
void expect_gradients(const TensorFunction& f, const std::vector<at::Tensor>& arguments,
                      double tolerance = 1e-6);

}  // namespace remixer::testing
