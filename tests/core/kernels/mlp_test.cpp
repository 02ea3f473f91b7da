// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "core/kernels/exponential.h"
#include "core/kernels/gelu.h"
#include "core/kernels/gelu_loops.h"
#include "core/kernels/token_mlp_cpu.h"
#include "core/kernels/token_mlp_loops.h"
#include "tests/core/kernels/numeric.h"

namespace remixer::kernels {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;
using remixer::testing::expect_gradients;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Exponential, IsTheStandardOne) {
  for (float x = -86.9F; x < 88; x += 0.137F) {
    const double exact = std::exp(static_cast<double>(x));
    EXPECT_NEAR(exponential(x) / exact, 1, 3e-7) << x;
    const double less = std::expm1(static_cast<double>(x));
    EXPECT_NEAR(exponential_less_one(x) / less, 1, 3e-7) << x;
  }
  for (const float x : {1e-7F, -1e-5F, 1e-3F, -0.3F, 0.4F}) {
    EXPECT_NEAR(exponential_less_one(x) / std::expm1(static_cast<double>(x)), 1, 3e-7) << x;
  }
  EXPECT_EQ(exponential_less_one(0.0F), 0);
  EXPECT_EQ(exponential(-88.0F), 0);
  EXPECT_EQ(exponential(-kInfinity), 0);
  EXPECT_EQ(exponential_less_one(-kInfinity), -1);
  EXPECT_EQ(exponential(kInfinity), kInfinity);
  EXPECT_EQ(exponential_less_one(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(exponential(std::nanf(""))));
  EXPECT_TRUE(std::isnan(exponential_less_one(std::nanf(""))));
}

// An odd count, so that each level has a rest.
TEST(Gelu, EveryVectorLevelIsTheFormula) {
  constexpr int64_t kCount = 4001;
  std::vector<float> x(kCount), g(kCount), slope(kCount), alone(kCount);
  for (int64_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i - kCount / 2) / 100;
  for (int at = 0; at <= static_cast<int>(vector_level()); ++at) {
    const auto level = static_cast<VectorLevel>(at);
    gelu(kCount, x.data(), 0.25F, g.data(), slope.data(), level);
    gelu(kCount, x.data(), 0.25F, alone.data(), static_cast<float*>(nullptr), level);
    EXPECT_EQ(g, alone) << name_of(level);
    for (int64_t i = 0; i < kCount; ++i) {
      const double h = x[i] + 0.25, below = 0.5 * std::erfc(-h / std::sqrt(2.0)),
                   density = std::exp(-h * h / 2) / std::sqrt(2 * M_PI);
      ASSERT_NEAR(g[i], h * below, 2e-7 * (1 + std::abs(h))) << name_of(level) << ' ' << h;
      ASSERT_NEAR(slope[i], below + h * density, 3e-7) << name_of(level) << ' ' << h;
    }
  }
}

TEST(Gelu, OddNumbers) {
  const std::vector<float> x{kInfinity, -200, 200, 0, std::nanf("")};
  std::vector<float> g(x.size()), slope(x.size());
  gelu(static_cast<int64_t>(x.size()), x.data(), 0.0F, g.data(), slope.data());
  EXPECT_EQ(g[0], kInfinity);
  EXPECT_EQ(g[1], 0);
  EXPECT_EQ(slope[1], 0);
  EXPECT_EQ(g[2], 200);
  EXPECT_EQ(slope[2], 1);
  EXPECT_EQ(g[3], 0);
  EXPECT_EQ(slope[3], 0.5F);
  EXPECT_TRUE(std::isnan(g[4]));
}

TEST(Gelu, IsAtensForAnyMemoryOrder) {
  Draw draw(41);
  const at::Tensor x = draw.normal({2, 3, 5, 7});
  for (const at::Tensor& in : {x, x.contiguous(at::MemoryFormat::ChannelsLast), x.transpose(1, 3),
                               x.narrow(3, 1, 4), x.narrow(0, 0, 0)}) {
    EXPECT_EQ(kernels::gelu(in).sizes(), in.sizes());
    if (in.numel() == 0) continue;
    EXPECT_LT(difference(kernels::gelu(in), at::gelu(in)), 1e-14);
    expect_gradients([](const auto& a) { return kernels::gelu(a[0]); }, {in});
  }
  const at::Tensor spread = draw.normal({3, 1}).expand({3, 6});
  EXPECT_LT(difference(kernels::gelu(spread), at::gelu(spread)), 1e-14);
  // A gradient in another order than x.
  const at::Tensor last = x.contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  const at::Tensor weights = draw.normal({2, 3, 5, 7});
  (kernels::gelu(last) * weights).sum().backward();
  const at::Tensor plain = x.clone().set_requires_grad(true);
  (at::gelu(plain) * weights).sum().backward();
  EXPECT_LT(difference(last.grad(), plain.grad()), 1e-14);
}

TEST(Gelu, AfterALinearMap) {
  Draw draw(42);
  const at::Tensor x = draw.normal({3, 4, 6}), weight = draw.normal({5, 6}),
                   bias = draw.normal({5});
  const at::Tensor expected = at::gelu(at::linear(x, weight, bias));
  EXPECT_LT(difference(linear_gelu(x, weight, bias), expected), 1e-14);
  EXPECT_LT(difference(linear_gelu(x.transpose(0, 1), weight, bias), expected.transpose(0, 1)),
            1e-14);
  {
    const at::NoGradGuard no_grad;
    EXPECT_LT(difference(linear_gelu(x, weight, bias), expected), 1e-14);
  }
  EXPECT_LT(difference(linear_gelu(x.to(at::kFloat), weight.to(at::kFloat), bias.to(at::kFloat)),
                       expected),
            1e-5);
  expect_gradients([](const auto& a) { return linear_gelu(a[0], a[1], a[2]); }, {x, weight, bias});
  // More rows than groups of them.
  expect_gradients([](const auto& a) { return linear_gelu(a[0], a[1], a[2]); },
                   {draw.normal({37, 2}), draw.normal({3, 2}), draw.normal({3})});
  EXPECT_EQ(linear_gelu(x.narrow(0, 0, 0), weight, bias).sizes(), (at::IntArrayRef{0, 4, 5}));
}

TEST(Gelu, WhatTheLoopsCannotDoIsAtens) {
  Draw draw(45);
  const at::Tensor x = draw.normal({2, 6}), weight = draw.normal({5, 6});
  // ATen's own complaint.
  EXPECT_THROW(linear_gelu(x, weight, draw.normal({4})), c10::Error);
  const at::Tensor half = x.to(at::kBFloat16);
  EXPECT_TRUE(kernels::gelu(half).equal(at::gelu(half)));
  const at::Tensor leaf = x.clone().set_requires_grad(true);
  EXPECT_THROW(torch::autograd::grad({kernels::gelu(leaf).sum()}, {leaf}, {}, true,
                                     /*create_graph=*/true),
               c10::Error);
}

struct TokenCase {
  at::Tensor x;
  TokenMlpWeights weights;
  at::Tensor distance;
};

TokenCase draw_tokens(int64_t batch, int64_t patches, int64_t channels, int64_t hidden) {
  Draw draw(43);
  return {draw.normal({batch, patches, channels}),
          {draw.normal({hidden, patches}), draw.normal({hidden}), draw.normal({patches, hidden}),
           draw.normal({patches})},
          draw.uniform({batch, patches, patches}, 0, 2)};
}

at::Tensor plain_token_mlp(const TokenCase& c, double kappa) {
  const at::Tensor hidden =
      at::gelu(at::linear(c.x.transpose(1, 2), c.weights.fc1, c.weights.bias1));
  const at::Tensor y = at::linear(hidden, c.weights.fc2, c.weights.bias2).transpose(1, 2);
  const at::Tensor product = at::matmul(c.weights.fc2, c.weights.fc1);
  return y - at::matmul((1 - (c.distance * -kappa).exp()) * product, c.x);
}

TEST(TokenMlp, IsTheFormula) {
  for (const int64_t batch : {1, 3, 70}) {
    for (const double kappa : {0.0, 0.4, 20.0}) {
      const TokenCase c = draw_tokens(batch, 6, 5, 4);
      const at::Tensor k = at::full({1}, kappa, at::kDouble);
      const at::Tensor expected = plain_token_mlp(c, kappa);
      EXPECT_LT(difference(cpu_token_mlp(c.x, c.weights, c.distance, k), expected), 1e-12);
      const at::Tensor turned = c.x.transpose(0, 1).contiguous().transpose(0, 1);
      EXPECT_LT(difference(cpu_token_mlp(turned, c.weights, c.distance, k), expected), 1e-12);
      const at::NoGradGuard no_grad;
      EXPECT_LT(difference(cpu_token_mlp(c.x, c.weights, c.distance, k), expected), 1e-12);
      EXPECT_LT(difference(cpu_token_mlp(c.x, c.weights, std::nullopt, std::nullopt),
                           plain_token_mlp(c, 0)),
                1e-12);
    }
  }
}

TEST(TokenMlp, ShapesThatDoNotFitAreNotTaken) {
  const TokenCase c = draw_tokens(1, 6, 5, 4);
  EXPECT_TRUE(cpu_token_mlp_takes(c.x, c.weights));
  EXPECT_FALSE(cpu_token_mlp_takes(c.x.narrow(1, 0, 5), c.weights));
  EXPECT_FALSE(cpu_token_mlp_takes(c.x[0], c.weights));
  TokenMlpWeights other = c.weights;
  other.bias2 = other.bias1;
  EXPECT_FALSE(cpu_token_mlp_takes(c.x, other));
}

TEST(TokenMlp, GradientsAreRight) {
  const TokenCase c = draw_tokens(3, 4, 5, 3);
  const std::vector<at::Tensor> weights{c.x, c.weights.fc1, c.weights.bias1, c.weights.fc2,
                                        c.weights.bias2};
  expect_gradients(
      [](const auto& a) {
        return cpu_token_mlp(a[0], {a[1], a[2], a[3], a[4]}, std::nullopt, std::nullopt);
      },
      weights);
  for (const double kappa : {0.0, 0.7}) {
    auto arguments = weights;
    arguments.push_back(c.distance);
    arguments.push_back(at::full({1}, kappa, at::kDouble));
    expect_gradients(
        [](const auto& a) {
          return cpu_token_mlp(a[0], {a[1], a[2], a[3], a[4]}, a[5], a[6]);
        },
        arguments);
  }
}

std::vector<at::Tensor> float_gradients(const TokenCase& c) {
  const auto leaf = [](const at::Tensor& t) {
    return t.to(at::kFloat).detach().clone().set_requires_grad(true);
  };
  const std::vector<at::Tensor> a{
      leaf(c.x),           leaf(c.weights.fc1),   leaf(c.weights.bias1),
      leaf(c.weights.fc2), leaf(c.weights.bias2), leaf(at::full({1}, 0.3, at::kDouble))};
  const at::Tensor y = cpu_token_mlp(a[0], {a[1], a[2], a[3], a[4]}, c.distance, a[5]);
  (y * y).sum().backward();
  std::vector<at::Tensor> results{y.detach()};
  for (const at::Tensor& t : a) results.push_back(t.grad());
  return results;
}

TEST(TokenMlp, ThreadsChangeNoBit) {
  const TokenCase c = draw_tokens(70, 49, 33, 20);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = float_gradients(c);
  at::set_num_threads(2);
  const auto two = float_gradients(c);
  at::set_num_threads(before);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(two[i])) << i;
}

TEST(TokenMlp, EveryVectorLevelIsTheFormula) {
  constexpr int64_t kCount = 333;
  Draw draw(44);
  const at::Tensor d = draw.uniform({kCount}, 0, 2), p = draw.normal({kCount}),
                   slope = draw.normal({kCount});
  for (const double kappa : {1e-6, 0.5, 60.0}) {
    const at::Tensor m = (d * -kappa).exp(), less = (d * -kappa).expm1();
    for (int at = 0; at <= static_cast<int>(vector_level()); ++at) {
      const auto level = static_cast<VectorLevel>(at);
      const at::Tensor fd = d.to(at::kFloat), fp = p.to(at::kFloat), left = at::zeros({kCount}),
                       dp = at::zeros({kCount}), dleft = slope.to(at::kFloat).clone();
      const auto k = static_cast<float>(kappa);
      masked_product(kCount, fd.const_data_ptr<float>(), k, fp.const_data_ptr<float>(),
                     left.mutable_data_ptr<float>(), level);
      EXPECT_LT(difference(left / kappa, -less * p / kappa), 1e-5 / std::min(1.0, kappa * 1e6));
      const double dkappa = masked_product_backward(
          kCount, fd.const_data_ptr<float>(), k, fp.const_data_ptr<float>(),
          dleft.mutable_data_ptr<float>(), dp.mutable_data_ptr<float>(), level);
      EXPECT_LT(difference(dp, -less * slope), 1e-5) << name_of(level);
      EXPECT_NEAR(dkappa, (slope * p * m * d).sum().item<double>(), 1e-3) << name_of(level);
      EXPECT_LT(difference(dleft, slope * p * m * kappa), 1e-5 * (1 + kappa)) << name_of(level);
    }
  }
}

}  // namespace
}  // namespace remixer::kernels
