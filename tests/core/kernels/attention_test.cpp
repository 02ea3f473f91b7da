// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "core/kernels/attention_loops.h"
#include "core/kernels/memory_meter.h"
#include "core/kernels/operators.h"
#include "tests/core/kernels/numeric.h"

namespace remixer::kernels {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;
using remixer::testing::expect_gradients;

// softmax(q kᵀ · scale) ⊙ M, renormalised, times v; M is 1 in the prefix's rows and columns.
at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const at::Tensor& distance, double kappa, int64_t prefix, double scale) {
  at::Tensor y = at::zeros(q.sizes(), at::kDouble);
  const int64_t tokens = q.size(2), width = q.size(3);
  for (int64_t b = 0; b < q.size(0); ++b) {
    const auto d = distance[b];
    for (int64_t h = 0; h < q.size(1); ++h) {
      const at::Tensor qh = q[b][h], kh = k[b][h], vh = v[b][h], yh = y[b][h];
      const auto query = qh.accessor<double, 2>(), key = kh.accessor<double, 2>(),
                 value = vh.accessor<double, 2>();
      auto out = yh.accessor<double, 2>();
      const auto apart = d.accessor<double, 2>();
      for (int64_t i = 0; i < tokens; ++i) {
        std::vector<double> a(tokens);
        double sum = 0;
        for (int64_t j = 0; j < tokens; ++j) {
          double dot = 0;
          for (int64_t c = 0; c < width; ++c) dot += query[i][c] * key[j][c];
          a[j] = std::exp(dot * scale);
          sum += a[j];
        }
        double kept = 0;
        for (int64_t j = 0; j < tokens; ++j) {
          const bool patches = i >= prefix && j >= prefix;
          a[j] *= (patches ? std::exp(-kappa * apart[i - prefix][j - prefix]) : 1) / sum;
          kept += a[j];
        }
        for (int64_t c = 0; c < width; ++c) {
          for (int64_t j = 0; j < tokens; ++j) out[i][c] += a[j] / kept * value[j][c];
        }
      }
    }
  }
  return y;
}

struct Case {
  at::Tensor q, k, v, distance;
};

Case draw(int64_t patches, int64_t prefix) {
  Draw draw(11);
  const std::vector<int64_t> shape{2, 3, patches + prefix, 4};
  return {draw.normal(shape), draw.normal(shape), draw.normal(shape),
          draw.uniform({2, patches, patches}, 0, 2)};
}

TEST(MaskedAttention, IsTheFormula) {
  for (const int64_t prefix : {0, 1, 2}) {
    for (const double kappa : {0.0, 0.7, 30.0}) {
      for (const int64_t patches : {1, 6}) {
        const Case c = draw(patches, prefix);
        const at::Tensor k = at::full({1}, kappa, at::kDouble);
        const at::Tensor expected = plain_attention(c.q, c.k, c.v, c.distance, kappa, prefix, 0.5);
        EXPECT_LT(difference(masked_attention(c.q, c.k, c.v, c.distance, k, prefix), expected),
                  1e-12)
            << prefix << " " << kappa << " " << patches;
        const at::NoGradGuard no_grad;
        EXPECT_LT(difference(masked_attention(c.q, c.k, c.v, c.distance, k, prefix), expected),
                  1e-12);
      }
    }
  }
}

TEST(MaskedAttention, PlainIsTheFormulaWithoutAMask) {
  for (const int64_t tokens : {1, 7, 120}) {
    const Case c = draw(tokens, 0);
    const at::Tensor expected = plain_attention(c.q, c.k, c.v, c.distance, 0, 0, 0.5);
    EXPECT_LT(difference(attention(c.q, c.k, c.v), expected), 1e-12);
    const at::NoGradGuard no_grad;
    EXPECT_LT(difference(attention(c.q, c.k, c.v), expected), 1e-12);
  }
  const Case c = draw(5, 0);
  expect_gradients([](const auto& a) { return attention(a[0], a[1], a[2]); }, {c.q, c.k, c.v});
  // Fewer keys than queries: ATen's.
  const at::Tensor k = c.k.narrow(2, 0, 3), v = c.v.narrow(2, 0, 3);
  EXPECT_LT(difference(attention(c.q, k, v), at::scaled_dot_product_attention(c.q, k, v)), 1e-12);
}

// Rows of a length that no register divides.
TEST(MaskedAttention, EveryVectorLevelSoftensARowAlike) {
  constexpr int64_t kTokens = 41;
  Draw draw(12);
  const at::Tensor scores = draw.normal({kTokens}), d = draw.uniform({kTokens - 1}, 0, 2),
                   slopes = draw.normal({kTokens});
  at::Tensor exponents = scores.clone();
  exponents.narrow(0, 1, kTokens - 1).sub_(d * 0.7);
  const at::Tensor p = exponents.softmax(0), ds = p * (slopes - (p * slopes).sum());
  const double log_sum = exponents.exp().sum().log().item<double>();
  const at::Tensor distance = d.to(at::kFloat);
  for (int at = 0; at <= static_cast<int>(vector_level()); ++at) {
    const auto level = static_cast<VectorLevel>(at);
    const RowMask<float> mask{distance.const_data_ptr<float>(), 1, 0.7F};
    const at::Tensor row = scores.to(at::kFloat), again = row.clone(),
                     dp = slopes.to(at::kFloat).clone();
    float sum = 0;
    const float most = softmax_row(row.mutable_data_ptr<float>(), kTokens, mask, &sum, level);
    EXPECT_NEAR(most + std::log(sum), log_sum, 1e-5) << name_of(level);
    EXPECT_LT(difference(row / sum, p), 1e-6) << name_of(level);
    const double slope = backward_row(again.mutable_data_ptr<float>(), dp.mutable_data_ptr<float>(),
                                      kTokens, mask, static_cast<float>(log_sum), level);
    EXPECT_LT(difference(dp, ds), 1e-5) << name_of(level);
    EXPECT_NEAR(slope, (ds.narrow(0, 1, kTokens - 1) * d).sum().item<double>(), 1e-4);
  }
}

TEST(MaskedAttention, TakesAScale) {
  const Case c = draw(5, 1);
  const at::Tensor kappa = at::full({}, 0.4, at::kDouble);
  EXPECT_LT(difference(masked_attention(c.q, c.k, c.v, c.distance, kappa, 1, 0.9),
                       plain_attention(c.q, c.k, c.v, c.distance, 0.4, 1, 0.9)),
            1e-12);
}

TEST(MaskedAttention, GradientsAreRight) {
  for (const int64_t prefix : {0, 1}) {
    for (const double kappa : {0.0, 0.8}) {
      const Case c = draw(4, prefix);
      expect_gradients(
          [prefix](const auto& a) {
            return masked_attention(a[0], a[1], a[2], a[3], a[4], prefix);
          },
          {c.q, c.k, c.v, c.distance, at::full({1}, kappa, at::kDouble)});
    }
  }
}

TEST(MaskedAttention, FarPatchesAreShutOutWithoutOverflow) {
  const Case c = draw(6, 1);
  const at::Tensor kappa = at::full({1}, 1e6, at::kFloat);
  const at::Tensor y = masked_attention(c.q.to(at::kFloat), c.k.to(at::kFloat), c.v.to(at::kFloat),
                                        c.distance.to(at::kFloat) + 0.1, kappa, 1);
  EXPECT_TRUE(y.isfinite().all().item<bool>());
}

std::vector<at::Tensor> with_gradients(const std::vector<at::Tensor>& a, int64_t prefix) {
  const at::Tensor y = masked_attention(a[0], a[1], a[2], a[3], a[4], prefix);
  const at::Tensor weights = Draw(5).normal(y.sizes()).to(y.scalar_type());
  auto all = torch::autograd::grad({y}, {a[0], a[1], a[2], a[4]}, {weights});
  all.insert(all.begin(), y.detach());
  return all;
}

// q, k, v as layers give them, cut from [B, T, 3, H, D]; a distance that wants no gradient.
std::vector<at::Tensor> as_layers_do(at::IntArrayRef shape, int64_t prefix, at::ScalarType type) {
  Draw draw(3);
  const int64_t batch = shape[0], heads = shape[1], tokens = shape[2], patches = tokens - prefix;
  const auto qkv =
      draw.normal({batch, tokens, 3, heads, shape[3]}).to(type).permute({2, 0, 3, 1, 4}).unbind(0);
  std::vector<at::Tensor> a;
  for (const at::Tensor& part : qkv) a.push_back(part.detach().requires_grad_());
  a.push_back(draw.uniform({batch, patches, patches}, 0, 2).to(type));
  a.push_back(at::full({1}, 0.7, type).requires_grad_());
  return a;
}

// The distance wants a gradient: ATen's operations do the work.
std::vector<at::Tensor> by_aten(std::vector<at::Tensor> a, int64_t prefix) {
  a[3] = a[3].detach().clone().requires_grad_();
  return with_gradients(a, prefix);
}

TEST(MaskedAttention, BlocksOfRowsGiveWhatTheWholeGives) {
  for (const auto& [shape, prefix] :
       std::vector<std::pair<std::vector<int64_t>, int64_t>>{{{2, 3, 18, 16}, 1},
                                                             {{1, 1, 113, 24}, 0},
                                                             {{1, 2, 250, 40}, 2},
                                                             {{1, 1, 1, 8}, 0},
                                                             {{1, 2, 5, 1}, 1},
                                                             {{2, 1, 3, 4}, 3}}) {
    const auto a = as_layers_do(shape, prefix, at::kDouble);
    const auto ours = with_gradients(a, prefix), expected = by_aten(a, prefix);
    for (size_t i = 0; i < ours.size(); ++i) {
      EXPECT_LT(difference(ours[i], expected[i]), 1e-11) << i << " of T " << shape[2];
    }
    std::vector<at::Tensor> narrow;
    for (const at::Tensor& x : a)
      narrow.push_back(x.detach().to(at::kFloat).requires_grad_(x.requires_grad()));
    const auto single = with_gradients(narrow, prefix);
    for (size_t i = 0; i < single.size(); ++i) {
      EXPECT_LT(difference(single[i].to(at::kDouble), expected[i]), i == 4 ? 1e-3 : 1e-5) << i;
    }
  }
}

TEST(MaskedAttention, ThreadsChangeNothing) {
  for (const auto& shape : std::vector<std::vector<int64_t>>{{1, 1, 131, 24}, {2, 3, 197, 64}}) {
    const auto a = as_layers_do(shape, 1, at::kFloat);
    std::vector<at::Tensor> first;
    for (const int threads : {1, 2, 3, 4}) {
      at::set_num_threads(threads);
      const auto now = with_gradients(a, 1);
      if (first.empty()) first = now;
      for (size_t i = 0; i < now.size(); ++i) {
        EXPECT_TRUE(at::equal(now[i], first[i])) << i << " with " << threads << " threads";
      }
    }
  }
  at::set_num_threads(1);
}

TEST(MaskedAttention, NeedsAThirdOfTheWholesMemory) {
  const auto a = as_layers_do({8, 6, 785, 64}, 1, at::kFloat);
  const auto peak_of = [](const auto& work) {
    const MemoryMeter meter;
    work();
    return meter.peak();
  };
  const int64_t ours = peak_of([&] { with_gradients(a, 1); });
  // Scores and their softmax, kept for the backward pass, are the least that the whole needs.
  const int64_t whole = int64_t{2} * 8 * 6 * 785 * 785 * 4;
  EXPECT_LT(3 * ours, whole);
  EXPECT_GT(ours, 4 * a[0].numel() * 4) << "out and three gradients were counted";
}

TEST(MaskedAttention, RefusesShapesThatDoNotFit) {
  const Case c = draw(5, 1);
  const at::Tensor kappa = at::full({1}, 0.1, at::kDouble);
  EXPECT_THROW(masked_attention(c.q, c.k, c.v, c.distance, kappa, 0), c10::Error);
  EXPECT_THROW(masked_attention(c.q, c.k, c.v, c.distance, at::full({2}, 0.1, at::kDouble), 1),
               c10::Error);
  EXPECT_THROW(masked_attention(c.q[0], c.k[0], c.v[0], c.distance, kappa, 1), c10::Error);
}

}  // namespace
}  // namespace remixer::kernels
