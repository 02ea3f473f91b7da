// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
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

at::Tensor plain_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
                        double kappa, bool complement) {
  at::Tensor y = at::zeros(x.sizes(), at::kDouble);
  const auto in = x.accessor<double, 3>(), apart = distance.accessor<double, 3>();
  const auto w = weight.accessor<double, 2>();
  auto out = y.accessor<double, 3>();
  for (int64_t b = 0; b < x.size(0); ++b) {
    for (int64_t i = 0; i < x.size(1); ++i) {
      for (int64_t j = 0; j < x.size(1); ++j) {
        const double mask = std::exp(-kappa * apart[b][i][j]);
        for (int64_t c = 0; c < x.size(2); ++c) {
          out[b][i][c] += (complement ? 1 - mask : mask) * w[i][j] * in[b][j][c];
        }
      }
    }
  }
  return y;
}

TEST(MaskedLinear, IsTheFormula) {
  for (const bool complement : {false, true}) {
    for (const double kappa : {0.0, 0.6, 20.0}) {
      for (const int64_t patches : {1, 5}) {
        Draw draw(21);
        const at::Tensor x = draw.normal({3, patches, 4}), weight = draw.normal({patches, patches}),
                         distance = draw.uniform({3, patches, patches}, 0, 2);
        const at::Tensor k = at::full({1}, kappa, at::kDouble);
        const at::Tensor expected = plain_linear(x, weight, distance, kappa, complement);
        EXPECT_LT(difference(masked_linear(x, weight, distance, k, complement), expected), 1e-12);
        const at::NoGradGuard no_grad;
        EXPECT_LT(difference(masked_linear(x, weight, distance, k, complement), expected), 1e-12);
      }
    }
  }
}

TEST(MaskedLinear, ComplementKeepsSmallKappasDigits) {
  Draw draw(22);
  const at::Tensor x = draw.normal({1, 4, 2}), weight = draw.normal({4, 4}),
                   distance = draw.uniform({1, 4, 4}, 0, 1);
  const at::Tensor exact = plain_linear(x, weight, distance, 1e-6, true);
  const at::Tensor single =
      masked_linear(x.to(at::kFloat), weight.to(at::kFloat), distance.to(at::kFloat),
                    at::full({1}, 1e-6, at::kFloat), true);
  EXPECT_LT(difference(single, exact) / exact.abs().max().item<double>(), 1e-5);
}

TEST(MaskedLinear, GradientsAreRight) {
  for (const bool complement : {false, true}) {
    for (const double kappa : {0.0, 0.9}) {
      Draw draw(23);
      expect_gradients(
          [complement](const auto& a) { return masked_linear(a[0], a[1], a[2], a[3], complement); },
          {draw.normal({2, 4, 3}), draw.normal({4, 4}), draw.uniform({2, 4, 4}, 0, 2),
           at::full({1}, kappa, at::kDouble)});
    }
  }
}

}  // namespace
}  // namespace remixer::kernels
