// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/kernels/label_distance_cpu.h"
#include "core/kernels/label_distance_loops.h"
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

// Like ReLabel's: a patch names some of many classes, and all others share one value. `common`: the
// largest such value.
at::Tensor sparse_labels(int64_t batch, int64_t patches, int64_t channels, double common) {
  Draw draw(8);
  const at::Tensor y = draw.uniform({batch, patches, 1}, 0, common).repeat({1, 1, channels});
  const at::Tensor chosen = draw.uniform({batch, patches, channels}) < 0.03;
  return y + chosen * draw.uniform({batch, patches, channels});
}

TEST(Distance, LabelsThatNameFewClassesAreTheFormula) {
  for (const double common : {0.0, 1e-3, 0.5}) {
    for (const int64_t patches : {1, 7, 49}) {
      const at::Tensor y = sparse_labels(3, patches, 250, common).to(at::kFloat);
      ASSERT_TRUE(sparse_cosine_distance(y).has_value());
      EXPECT_LT(
          difference(label_distance(y, "cosine"), plain_distance(y.to(at::kDouble), "cosine")),
          2e-6)
          << common << ' ' << patches;
    }
  }
}

TEST(Distance, FewClassesAreReadAtEveryVectorLevel) {
  const at::Tensor y = sparse_labels(1, 21, 100, 1e-3).to(at::kFloat);
  const at::Tensor expected = plain_distance(y.to(at::kDouble), "cosine");
  for (int level = 0; level <= static_cast<int>(vector_level()); ++level) {
    const at::Tensor d = at::zeros({1, 21, 21});
    ASSERT_TRUE(SparseCosine(21, 100)(y.const_data_ptr<float>(), d.mutable_data_ptr<float>(),
                                      static_cast<VectorLevel>(level)));
    EXPECT_LT(difference(d, expected), 2e-6) << name_of(static_cast<VectorLevel>(level));
  }
}

// Image after image through the same working memory; zero rows; rows that are equal.
TEST(Distance, FewClassesOfOddRows) {
  at::Tensor y = sparse_labels(4, 9, 128, 1e-3).to(at::kFloat);
  y[0].zero_();
  y[1][3].zero_();
  y[1][5].zero_();
  y[2] = y[2][0].clone();
  const auto d = sparse_cosine_distance(y);
  ASSERT_TRUE(d.has_value());
  EXPECT_LT(difference(*d, plain_distance(y.to(at::kDouble), "cosine")), 2e-6);
  EXPECT_GE(d->min().item<float>(), 0);
}

// They come out as the product has them: not as distances that look like others.
TEST(Distance, NumbersThatAreNotFiniteStay) {
  at::Tensor y = sparse_labels(2, 5, 100, 1e-3).to(at::kFloat);
  y[1][2][7] = std::nanf("");
  EXPECT_FALSE(sparse_cosine_distance(y).has_value());
  const at::Tensor d = label_distance(y, "cosine");
  EXPECT_TRUE(d[1][2].isnan().all().item<bool>());
  EXPECT_FALSE(d[0].isnan().any().item<bool>());
}

TEST(Distance, OtherLabelsTakeTheProduct) {
  EXPECT_FALSE(sparse_cosine_distance(Draw(9).uniform({2, 5, 100}).to(at::kFloat)).has_value());
  const at::Tensor few = sparse_labels(2, 5, 100, 1e-3);
  EXPECT_FALSE(sparse_cosine_distance(few).has_value());  // double
  at::Tensor half_dense = few.to(at::kFloat);
  half_dense[1] = Draw(10).uniform({5, 100}).to(at::kFloat);
  EXPECT_FALSE(sparse_cosine_distance(half_dense).has_value());
  EXPECT_LT(difference(label_distance(half_dense, "cosine"),
                       plain_distance(half_dense.to(at::kDouble), "cosine")),
            2e-6);
  at::Tensor wanted = few.to(at::kFloat).set_requires_grad(true);
  EXPECT_FALSE(sparse_cosine_distance(wanted).has_value());
  EXPECT_TRUE(label_distance(wanted, "cosine").requires_grad());
}

}  // namespace
}  // namespace remixer::kernels
