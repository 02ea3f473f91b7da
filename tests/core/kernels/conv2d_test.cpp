// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "core/kernels/masked_conv2d_loops.h"
#include "core/kernels/operators.h"
#include "tests/core/kernels/numeric.h"

namespace remixer::kernels {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;
using remixer::testing::expect_gradients;

// The convolution as a dense N × N matrix for each channel, masked entry by entry.
at::Tensor plain_conv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const at::Tensor& distance, double kappa) {
  at::Tensor y = at::zeros(x.sizes(), at::kDouble);
  const int64_t height = x.size(2), width = x.size(3), reach = weight.size(2) / 2;
  const auto in = x.accessor<double, 4>(), w = weight.accessor<double, 4>();
  const auto apart = distance.accessor<double, 3>();
  const auto shift = bias.accessor<double, 1>();
  auto out = y.accessor<double, 4>();
  for (int64_t b = 0; b < x.size(0); ++b) {
    for (int64_t c = 0; c < x.size(1); ++c) {
      for (int64_t i = 0; i < height * width; ++i) {
        double sum = shift[bias.size(0) == 1 ? 0 : c];
        for (int64_t j = 0; j < height * width; ++j) {
          const int64_t down = j / width - i / width, right = j % width - i % width;
          if (std::abs(down) > reach || std::abs(right) > reach) continue;
          const double entry = w[weight.size(0) == 1 ? 0 : c][0][down + reach][right + reach];
          sum += std::exp(-kappa * apart[b][i][j]) * entry * in[b][c][j / width][j % width];
        }
        out[b][c][i / width][i % width] = sum;
      }
    }
  }
  return y;
}

struct Case {
  at::Tensor x, weight, bias, distance;
};

Case draw(bool shared, int64_t height, int64_t width, int64_t kernel) {
  Draw draw(31);
  const int64_t kernels = shared ? 1 : 3, patches = height * width;
  return {draw.normal({2, 3, height, width}), draw.normal({kernels, 1, kernel, kernel}),
          draw.normal({kernels}), draw.uniform({2, patches, patches}, 0, 2)};
}

class ConvTest : public ::testing::TestWithParam<bool> {};

TEST_P(ConvTest, IsTheFormula) {
  struct Size {
    int64_t height, width, kernel;
  };
  // Kernels smaller than the image, as large, and larger.
  for (const Size size :
       {Size{4, 5, 3}, Size{3, 3, 3}, Size{2, 3, 5}, Size{1, 1, 3}, Size{1, 1, 1}}) {
    for (const double kappa : {0.0, 0.5, 15.0}) {
      const Case c = draw(GetParam(), size.height, size.width, size.kernel);
      const at::Tensor k = at::full({1}, kappa, at::kDouble);
      const at::Tensor expected = plain_conv2d(c.x, c.weight, c.bias, c.distance, kappa);
      EXPECT_LT(difference(masked_conv2d(c.x, c.weight, c.bias, c.distance, k), expected), 1e-12);
      const at::Tensor last = c.x.contiguous(at::MemoryFormat::ChannelsLast);
      EXPECT_LT(difference(masked_conv2d(last, c.weight, c.bias, c.distance, k), expected), 1e-12);
      const at::NoGradGuard no_grad;
      EXPECT_LT(difference(masked_conv2d(c.x, c.weight, c.bias, c.distance, k), expected), 1e-12);
      EXPECT_LT(difference(masked_conv2d(c.x.to(at::kFloat), c.weight.to(at::kFloat),
                                         c.bias.to(at::kFloat), c.distance.to(at::kFloat), k),
                           expected),
                1e-4);
    }
  }
}

TEST_P(ConvTest, ManyChannels) {
  Draw draw(33);
  const int64_t channels = 75, kernels = GetParam() ? 1 : channels;
  const at::Tensor x = draw.normal({2, channels, 2, 3}), weight = draw.normal({kernels, 1, 3, 3}),
                   bias = draw.normal({kernels}), distance = draw.uniform({2, 6, 6}, 0, 2);
  EXPECT_LT(difference(masked_conv2d(x, weight, bias, distance, at::full({1}, 0.5, at::kDouble)),
                       plain_conv2d(x, weight, bias, distance, 0.5)),
            1e-12);
}

// Widths that the tiles divide, that leave a rest, and that are smaller than one; as many channels.
TEST_P(ConvTest, EveryVectorLevelIsTheFormula) {
  Draw draw(34);
  for (const int64_t channels : {5, 32, 100, 130}) {
    for (const int64_t width : {1, 3, 9}) {
      const int64_t height = 4, patches = height * width, kernel = 5, places = kernel * kernel;
      const int64_t kernels = GetParam() ? 1 : channels;
      const at::Tensor x = draw.normal({1, channels, height, width}),
                       weight = draw.normal({kernels, 1, kernel, kernel}),
                       bias = draw.normal({kernels}),
                       distance = draw.uniform({1, patches, patches}, 0, 2);
      const at::Tensor expected = plain_conv2d(x, weight, bias, distance, 0.5);
      const at::Tensor rows = x.permute({0, 2, 3, 1}).to(at::kFloat).contiguous();
      const at::Tensor w = weight.flatten(1).t().to(at::kFloat).contiguous(),
                       b = bias.to(at::kFloat), d = distance.to(at::kFloat);
      const ConvShape shape{height, width, channels, kernel};
      for (int at = 0; at <= static_cast<int>(vector_level()); ++at) {
        const auto level = static_cast<VectorLevel>(at);
        const at::Tensor mask = at::zeros({patches, places}), y = at::zeros({patches, channels});
        neighbour_mask(shape, d.const_data_ptr<float>(), 0.5F, mask.mutable_data_ptr<float>(),
                       level);
        if (GetParam()) {
          const at::Tensor table = mask * w.view({places});
          conv_shared(shape, rows.const_data_ptr<float>(), table.const_data_ptr<float>(),
                      b.item<float>(), y.mutable_data_ptr<float>(), level);
        } else {
          conv_full(shape, rows.const_data_ptr<float>(), w.const_data_ptr<float>(),
                    mask.const_data_ptr<float>(), b.const_data_ptr<float>(),
                    y.mutable_data_ptr<float>(), level);
        }
        EXPECT_LT(difference(y.t().reshape(x.sizes()), expected), 1e-4)
            << name_of(level) << ", " << channels << " channels, width " << width;
      }
    }
  }
}

// Kernels as wide as the image's tiles, with a rest of channels: all gradients, in double.
TEST_P(ConvTest, GradientsOfManyChannelsAreRight) {
  Draw draw(35);
  const int64_t channels = 35, kernels = GetParam() ? 1 : channels;
  expect_gradients(
      [](const auto& a) { return masked_conv2d(a[0], a[1], a[2], a[3], a[4]); },
      {draw.normal({2, channels, 2, 5}), draw.normal({kernels, 1, 3, 3}), draw.normal({kernels}),
       draw.uniform({2, 10, 10}, 0, 2), at::full({1}, 0.8, at::kDouble)});
}

// A bias for all channels with a kernel for each, and the other way round; and none.
TEST_P(ConvTest, BiasMayBeOfAnotherWidthThanTheKernels) {
  const Case c = draw(GetParam(), 3, 4, 3);
  const at::Tensor kappa = at::full({1}, 0.8, at::kDouble);
  const at::Tensor other = Draw(36).normal({GetParam() ? 3 : 1});
  EXPECT_LT(difference(masked_conv2d(c.x, c.weight, other, c.distance, kappa),
                       plain_conv2d(c.x, c.weight, other, c.distance, 0.8)),
            1e-12);
  EXPECT_LT(difference(depthwise_conv2d(c.x, c.weight, other),
                       plain_conv2d(c.x, c.weight, other, c.distance, 0)),
            1e-12);
  expect_gradients([](const auto& a) { return masked_conv2d(a[0], a[1], a[2], a[3], a[4]); },
                   {c.x, c.weight, other, c.distance, kappa});
  expect_gradients(
      [](const auto& a) { return masked_conv2d(a[0], a[1], std::nullopt, a[2], a[3]); },
      {c.x, c.weight, c.distance, kappa});
}

// Whichever argument wants a gradient gets it, alone.
TEST_P(ConvTest, EachArgumentGetsItsGradientAlone) {
  const Case c = draw(GetParam(), 3, 4, 3);
  const at::Tensor kappa = at::full({1}, 0.8, at::kDouble);
  for (const bool biased : {true, false}) {
    const auto gradients = [&](const std::vector<bool>& wanted) {
      std::vector<at::Tensor> a{c.x, c.weight, c.distance, kappa, c.bias}, found;
      for (size_t i = 0; i < a.size(); ++i) a[i] = a[i].clone().set_requires_grad(wanted[i]);
      const std::optional<at::Tensor> bias = biased ? std::optional(a[4]) : std::nullopt;
      masked_conv2d(a[0], a[1], bias, a[2], a[3]).square().sum().backward();
      for (const at::Tensor& each : a) found.push_back(each.grad());
      return found;
    };
    const auto all = gradients({true, true, true, true, biased});
    for (size_t i = 0; i < (biased ? 5 : 4); ++i) {
      std::vector<bool> wanted(5);
      wanted[i] = true;
      const auto alone = gradients(wanted);
      ASSERT_TRUE(alone[i].defined()) << i << biased;
      EXPECT_TRUE(alone[i].equal(all[i])) << i << biased;
    }
  }
}

TEST_P(ConvTest, ThreadsChangeNoBit) {
  Draw draw(37);
  const int64_t channels = 96, kernels = GetParam() ? 1 : channels;
  const std::vector<at::Tensor> all{
      draw.normal({9, channels, 14, 14}), draw.normal({kernels, 1, 5, 5}), draw.normal({kernels}),
      draw.uniform({9, 196, 196}, 0, 2), at::full({1}, 0.8, at::kDouble)};
  const auto run = [&all](int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    std::vector<at::Tensor> a;
    for (const at::Tensor& each : all) {
      a.push_back(each.to(at::kFloat).clone().set_requires_grad(true));
    }
    const at::Tensor y = masked_conv2d(a[0], a[1], a[2], a[3], a[4]);
    y.square().sum().backward();
    at::set_num_threads(before);
    std::vector<at::Tensor> results{y.detach()};
    for (const at::Tensor& each : a) results.push_back(each.grad());
    return results;
  };
  const auto one = run(1), three = run(3);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
}

TEST_P(ConvTest, ASecondDerivativeIsRefused) {
  const Case c = draw(GetParam(), 3, 3, 3);
  const at::Tensor x = c.x.clone().set_requires_grad(true);
  const at::Tensor y = depthwise_conv2d(x, c.weight, c.bias);
  EXPECT_THROW(torch::autograd::grad({y.square().sum()}, {x}, {}, true, /*create_graph=*/true),
               c10::Error);
}

TEST_P(ConvTest, DistanceMayBeWider) {
  const Case c = draw(GetParam(), 3, 4, 3);
  std::vector<at::Tensor> arguments;
  for (const at::Tensor& t : {c.x, c.weight, c.bias, c.distance}) {
    const bool wide = arguments.size() == 3;
    arguments.push_back(t.to(wide ? at::kDouble : at::kFloat).set_requires_grad(true));
  }
  const at::Tensor kappa = at::full({1}, 0.5, at::kDouble).set_requires_grad(true);
  const at::Tensor y = masked_conv2d(arguments[0], arguments[1], arguments[2], arguments[3], kappa);
  EXPECT_LT(difference(y, plain_conv2d(c.x, c.weight, c.bias, c.distance, 0.5)), 1e-5);
  y.sum().backward();
  EXPECT_EQ(arguments[3].grad().scalar_type(), at::kDouble);
  EXPECT_EQ(kappa.grad().scalar_type(), at::kDouble);
}

TEST_P(ConvTest, WithoutMaskIsTheFormulaAtZero) {
  const Case c = draw(GetParam(), 4, 3, 3);
  EXPECT_LT(difference(depthwise_conv2d(c.x, c.weight, c.bias),
                       plain_conv2d(c.x, c.weight, c.bias, c.distance, 0)),
            1e-12);
}

TEST_P(ConvTest, GradientsAreRight) {
  for (const double kappa : {0.0, 0.8}) {
    for (const int64_t kernel : {3, 5}) {
      const Case c = draw(GetParam(), 3, 2, kernel);
      expect_gradients([](const auto& a) { return masked_conv2d(a[0], a[1], a[2], a[3], a[4]); },
                       {c.x, c.weight, c.bias, c.distance, at::full({1}, kappa, at::kDouble)});
    }
  }
}

TEST_P(ConvTest, PlainGradientsAreRight) {
  const Case c = draw(GetParam(), 3, 4, 3);
  expect_gradients([](const auto& a) { return depthwise_conv2d(a[0], a[1], a[2]); },
                   {c.x, c.weight, c.bias});
}

TEST_P(ConvTest, OtherTypesTakeTheGatheredForm) {
  const Case c = draw(GetParam(), 4, 3, 3);
  const auto run = [&c](at::ScalarType type) {
    std::vector<at::Tensor> arguments;
    for (const at::Tensor& t :
         {c.x, c.weight, c.bias, c.distance, at::full({1}, 0.5, at::kDouble)}) {
      arguments.push_back(t.to(at::kBFloat16).to(type).set_requires_grad(true));
    }
    at::Tensor y =
        masked_conv2d(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
    (y * y).sum().backward();
    std::vector<at::Tensor> results{y};
    for (const at::Tensor& t : arguments) results.push_back(t.grad());
    return results;
  };
  const auto narrow = run(at::kBFloat16), wide = run(at::kDouble);
  for (size_t i = 0; i < wide.size(); ++i) {
    EXPECT_LT(difference(narrow[i], wide[i]), 0.05 * (1 + wide[i].abs().max().item<double>())) << i;
  }
}

TEST_P(ConvTest, BiasMayBeAbsent) {
  const Case c = draw(GetParam(), 3, 3, 3);
  const at::Tensor kappa = at::full({1}, 0.3, at::kDouble);
  EXPECT_LT(difference(masked_conv2d(c.x, c.weight, std::nullopt, c.distance, kappa),
                       plain_conv2d(c.x, c.weight, at::zeros_like(c.bias), c.distance, 0.3)),
            1e-12);
}

INSTANTIATE_TEST_SUITE_P(Kernels, ConvTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Full"; });

TEST(Conv, RefusesShapesThatDoNotFit) {
  const Case c = draw(false, 3, 3, 3);
  const at::Tensor kappa = at::full({1}, 0.3, at::kDouble);
  Draw draw(32);
  EXPECT_THROW(masked_conv2d(c.x, draw.normal({3, 1, 2, 2}), c.bias, c.distance, kappa),
               c10::Error);
  EXPECT_THROW(masked_conv2d(c.x, draw.normal({2, 1, 3, 3}), c.bias, c.distance, kappa),
               c10::Error);
  EXPECT_THROW(masked_conv2d(c.x, c.weight, draw.normal({2}), c.distance, kappa), c10::Error);
  EXPECT_THROW(masked_conv2d(c.x, c.weight, c.bias, draw.normal({2, 8, 8}), kappa), c10::Error);
}

}  // namespace
}  // namespace remixer::kernels
