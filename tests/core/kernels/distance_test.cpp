// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/kernels/operators.h"
#include "tests/core/kernels/numeric.h"

namespace remixer::kernels {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;
using remixer::testing::expect_gradients;

at::Tensor plain_distance(const at::Tensor& y, const std::string& metric) {
  const int64_t batch = y.size(0), patches = y.size(1), channels = y.size(2);
  at::Tensor d = at::zeros({batch, patches, patches}, at::kDouble);
  const auto in = y.accessor<double, 3>();
  auto out = d.accessor<double, 3>();
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t i = 0; i < patches; ++i) {
      for (int64_t j = 0; j < patches; ++j) {
        double sum = 0, dot = 0, norm_i = 0, norm_j = 0;
        for (int64_t k = 0; k < channels; ++k) {
          sum += std::abs(in[b][i][k] - in[b][j][k]);
          dot += in[b][i][k] * in[b][j][k];
          norm_i += in[b][i][k] * in[b][i][k];
          norm_j += in[b][j][k] * in[b][j][k];
        }
        const double cosine = norm_i == 0 && norm_j == 0   ? 0
                              : norm_i == 0 || norm_j == 0 ? 1
                                                           : 1 - dot / std::sqrt(norm_i * norm_j);
        out[b][i][j] = metric == "l1" ? sum : cosine;
      }
    }
  }
  return d;
}

class DistanceTest : public ::testing::TestWithParam<std::tuple<std::string, int64_t>> {};

TEST_P(DistanceTest, IsTheFormula) {
  const auto [metric, channels] = GetParam();
  at::Tensor y = Draw(1).normal({3, 7, channels});
  y[1].zero_();
  y[2][0].zero_();
  y[2][4].zero_();
  EXPECT_LT(difference(label_distance(y, metric), plain_distance(y, metric)), 1e-12);
  const at::Tensor single = label_distance(y.to(at::kFloat), metric);
  EXPECT_EQ(single.scalar_type(), at::kFloat);
  EXPECT_LT(difference(single, plain_distance(y, metric)), 1e-4);
}

TEST_P(DistanceTest, GradientsAreRight) {
  const auto [metric, channels] = GetParam();
  // The cosine of single numbers is their signs': flat, and its gradient 0.
  expect_gradients([metric = metric](const auto& a) { return label_distance(a[0], metric); },
                   {Draw(2).normal({2, 5, channels})});
}

INSTANTIATE_TEST_SUITE_P(All, DistanceTest,
                         ::testing::Combine(::testing::Values("l1", "cosine"),
                                            ::testing::Values(1, 2, 9, 40)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + std::to_string(std::get<1>(info.param));
                         });

TEST(Distance, CosineIsNeverBelowZeroAndZeroForEqualRows) {
  const at::Tensor row = Draw(3).uniform({64, 1, 37}).to(at::kFloat);
  const at::Tensor d = label_distance(row.expand({64, 8, 37}).contiguous(), "cosine");
  EXPECT_GE(d.min().item<float>(), 0);
  EXPECT_LT(d.max().item<float>(), 1e-6);
}

TEST(Distance, ZeroRowsGiveFiniteGradients) {
  for (const char* metric : {"l1", "cosine"}) {
    at::Tensor y = at::cat({at::zeros({1, 2, 3}, at::kDouble), Draw(4).normal({1, 2, 3})}, 1);
    y.set_requires_grad(true);
    label_distance(y, metric).sum().backward();
    EXPECT_TRUE(y.grad().isfinite().all().item<bool>()) << metric;
  }
}

TEST(Distance, HalfPrecisionIsSummedInSingle) {
  const at::Tensor y = Draw(5).uniform({2, 4, 500}).to(at::kBFloat16);
  const at::Tensor d = label_distance(y, "l1");
  EXPECT_EQ(d.scalar_type(), at::kBFloat16);
  const at::Tensor exact = plain_distance(y.to(at::kDouble), "l1");
  EXPECT_LT(difference(d, exact) / exact.max().item<double>(), 1.0 / 256);
}

TEST(Distance, OnePatch) {
  EXPECT_EQ(label_distance(Draw(6).normal({2, 1, 3}), "l1").abs().max().item<double>(), 0);
}

TEST(Distance, UnknownMetricIsNamed) {
  EXPECT_THROW(label_distance(Draw(7).normal({1, 2, 3}), "l2"), c10::ValueError);
  EXPECT_THROW(label_distance(Draw(7).normal({2, 3}), "l1"), c10::Error);
}

}  // namespace
}  // namespace remixer::kernels
