// SPDX-License-Identifier: Apache-2.0
#include "tests/core/kernels/numeric.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <gtest/gtest.h>

namespace remixer::testing {
namespace {

// Tensors here are tiny: threads only cost.
class OneThread : public ::testing::Environment {
  void SetUp() override { at::set_num_threads(1); }
};
[[maybe_unused]] const auto* const kOneThread = ::testing::AddGlobalTestEnvironment(new OneThread);

}  // namespace

at::Tensor Draw::normal(at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape, at::kDouble);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    tensor.mutable_data_ptr<double>()[i] = random_.normal();
  return tensor;
}

at::Tensor Draw::uniform(at::IntArrayRef shape, double low, double high) {
  at::Tensor tensor = at::empty(shape, at::kDouble);
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.mutable_data_ptr<double>()[i] = random_.uniform(low, high);
  }
  return tensor;
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  if (a.sizes() != b.sizes() || a.numel() == 0) return 0;
  return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

void expect_gradients(const TensorFunction& f, const std::vector<at::Tensor>& arguments,
                      double tolerance) {
  constexpr double kStep = 1e-6;
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& argument : arguments) {
    leaves.push_back(argument.clone().set_requires_grad(true));
  }
  const at::Tensor output = f(leaves);
  const at::Tensor weights = Draw(99).normal(output.sizes());
  (output * weights).sum().backward();

  const at::NoGradGuard no_grad;
  const auto value = [&] {
    // Gradient mode stays on so that both sides take the path that training takes.
    const at::AutoGradMode grad(true);
    return (f(leaves) * weights).sum().item<double>();
  };
  for (size_t n = 0; n < leaves.size(); ++n) {
    ASSERT_TRUE(leaves[n].grad().defined()) << "argument " << n << " got no gradient";
    // In the leaf's own memory order, which need not be the contiguous one.
    const at::Tensor gradient = at::empty_like(leaves[n]).copy_(leaves[n].grad());
    double* data = leaves[n].mutable_data_ptr<double>();
    double worst = 0;
    for (int64_t i = 0; i < leaves[n].numel(); ++i) {
      const double kept = data[i];
      data[i] = kept + kStep;
      const double above = value();
      data[i] = kept - kStep;
      const double below = value();
      data[i] = kept;
      const double expected = (above - below) / (2 * kStep);
      worst = std::max(worst, std::abs(expected - gradient.const_data_ptr<double>()[i]) /
                                  (1 + std::abs(expected)));
    }
    EXPECT_LT(worst, tolerance) << "argument " << n;
  }
}

}  // namespace remixer::testing
