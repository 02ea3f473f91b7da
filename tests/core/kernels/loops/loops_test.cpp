// SPDX-License-Identifier: Apache-2.0
// The loops for CPUs on random shapes, at each vector level, against sums in double. Vectors end
// where the loops must end: an address sanitizer sees every access beyond.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/kernels/attention_loops.h"
#include "core/kernels/gelu_loops.h"
#include "core/kernels/label_distance_loops.h"
#include "core/kernels/masked_conv2d_loops.h"
#include "core/kernels/token_mlp_loops.h"

namespace remixer::kernels {
namespace {

class LoopsTest : public ::testing::TestWithParam<VectorLevel> {
 protected:
  void SetUp() override {
    if (GetParam() > vector_level()) GTEST_SKIP() << "this processor has no such registers";
  }

  int64_t number(int64_t from, int64_t to) {
    return from + static_cast<int64_t>(random_.below(static_cast<uint64_t>(to - from + 1)));
  }
  template <typename T>
  std::vector<T> draw(int64_t count, double low = -1, double high = 1) {
    std::vector<T> values(count);
    for (T& value : values) value = static_cast<T>(random_.uniform(low, high));
    return values;
  }

  // All loops of a convolution.
  template <typename T>
  void check_convolution(const ConvShape& shape, double tolerance);

  Random random_{1, RandomPurpose::kTest};
};
INSTANTIATE_TEST_SUITE_P(Levels, LoopsTest,
                         ::testing::Values(VectorLevel::kPlain, VectorLevel::kAvx2,
                                           VectorLevel::kAvx512),
                         [](const auto& info) { return std::string(name_of(info.param)); });

// Calls f(i, j, s) for each patch j under place s of patch i.
template <typename F>
void for_pairs(const ConvShape& shape, const F& f) {
  const int64_t reach = shape.kernel / 2;
  for (int64_t i = 0; i < shape.patches(); ++i) {
    for (int64_t j = 0; j < shape.patches(); ++j) {
      const int64_t down = j / shape.width - i / shape.width,
                    right = j % shape.width - i % shape.width;
      if (std::abs(down) > reach || std::abs(right) > reach) continue;
      f(i, j, (down + reach) * shape.kernel + right + reach);
    }
  }
}

template <typename T>
double difference(const std::vector<T>& values, const std::vector<double>& expected) {
  double worst = values.size() == expected.size() ? 0 : INFINITY;
  for (size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(values[i]) - expected[i]));
  }
  return worst;
}

template <typename T>
void LoopsTest::check_convolution(const ConvShape& s, double tolerance) {
  const VectorLevel level = GetParam();
  SCOPED_TRACE(std::to_string(s.height) + " x " + std::to_string(s.width) + ", " +
               std::to_string(s.channels) + " channels, kernel " + std::to_string(s.kernel));
  const int64_t n = s.patches(), places = s.places(), c = s.channels;
  const T kappa = T(0.7), shift = T(0.5);
  const auto x = draw<T>(n * c), dy = draw<T>(n * c), w = draw<T>(places * c), bias = draw<T>(c),
             d = draw<T>(n * n, 0, 2);
  std::vector<T> mask(n * places), table(n * places), turned(n * places), slopes(n * places),
      y(n * c), dx(n * c), sums(c), dw(places * c), dmask(n * places), dd(n * n);

  neighbour_mask(s, d.data(), kappa, mask.data(), level);
  std::vector<double> m(n * places), y_shared(n * c, shift), dx_shared(n * c), ds(n * places),
      y_full(n * c), dx_full(n * c), dw_full(places * c), dm(n * places), dd_full(n * n), total(c);
  double dkappa = 0;
  for_pairs(s, [&](int64_t i, int64_t j, int64_t place) {
    const double e = m[i * places + place] = std::exp(-static_cast<double>(kappa) * d[i * n + j]);
    for (int64_t q = 0; q < c; ++q) {
      const double in = x[j * c + q], gradient = dy[i * c + q], full = w[place * c + q];
      y_shared[i * c + q] += e * w[place] * in;
      dx_shared[j * c + q] += e * w[place] * gradient;
      ds[i * places + place] += gradient * in;
      y_full[i * c + q] += e * full * in;
      dx_full[j * c + q] += e * full * gradient;
      dw_full[place * c + q] += e * gradient * in;
      dm[i * places + place] += full * gradient * in;
    }
    dd_full[i * n + j] -= kappa * e * dm[i * places + place];
    dkappa -= d[i * n + j] * e * dm[i * places + place];
  });
  for (int64_t i = 0; i < n * c; ++i) {
    y_full[i] += bias[i % c];
    total[i % c] += dy[i];
  }
  EXPECT_LT(difference(mask, m), tolerance);

  for (int64_t i = 0; i < n * places; ++i) table[i] = mask[i] * w[i % places];
  conv_shared(s, x.data(), table.data(), shift, y.data(), level);
  EXPECT_LT(difference(y, y_shared), tolerance);
  transpose_table(s, table.data(), turned.data());
  conv_shared(s, dy.data(), turned.data(), T(0), dx.data(), level);
  EXPECT_LT(difference(dx, dx_shared), tolerance);
  conv_shared_slopes(s, x.data(), dy.data(), slopes.data(), level);
  EXPECT_LT(difference(slopes, ds), tolerance);
  channel_sums(s, dy.data(), sums.data(), level);
  EXPECT_LT(difference(sums, total), tolerance);

  conv_full(s, x.data(), w.data(), mask.data(), bias.data(), y.data(), level);
  EXPECT_LT(difference(y, y_full), tolerance);
  conv_full_backward(s, x.data(), w.data(), mask.data(), dy.data(), dx.data(), dw.data(),
                     dmask.data(), level);
  EXPECT_LT(difference(dx, dx_full), tolerance);
  EXPECT_LT(difference(dw, dw_full), tolerance);
  EXPECT_LT(difference(dmask, dm), tolerance);
  EXPECT_NEAR(neighbour_mask_backward(s, d.data(), kappa, mask.data(), dmask.data(), dd.data()),
              dkappa, tolerance * static_cast<double>(n));
  EXPECT_LT(difference(dd, dd_full), tolerance);
  // M = 1, no bias: only that the loops keep to their arrays.
  conv_full<T>(s, x.data(), w.data(), nullptr, nullptr, y.data(), level);
  conv_full_backward<T>(s, x.data(), w.data(), nullptr, dy.data(), dx.data(), dw.data(), nullptr,
                        level);
}

TEST_P(LoopsTest, ConvolutionsOfAnyShape) {
  for (int i = 0; i < 60; ++i) {
    const ConvShape shape{number(1, 11), number(1, 11), number(1, 150), 2 * number(0, 4) + 1};
    check_convolution<float>(shape, 2e-3);
    check_convolution<double>(shape, 1e-9);
  }
}

TEST_P(LoopsTest, DistancesOfAnyLabels) {
  int sparse = 0;
  for (int i = 0; i < 60; ++i) {
    const int64_t patches = number(1, 40), channels = number(3, 200);
    SparseCosine cosine(patches, channels);
    for (int image = 0; image < 2; ++image) {
      std::vector<float> y(patches * channels, 1e-3F);
      for (int64_t e = number(0, 2 * patches); e > 0; --e) {
        y[number(0, patches * channels - 1)] = static_cast<float>(random_.uniform());
      }
      std::vector<float> d(patches * patches);
      if (!cosine(y.data(), d.data(), GetParam())) continue;
      ++sparse;
      std::vector<double> expected(patches * patches);
      for (int64_t n = 0; n < patches * patches; ++n) {
        const float *a = y.data() + n / patches * channels, *b = y.data() + n % patches * channels;
        double dot = 0, aa = 0, bb = 0;
        for (int64_t k = 0; k < channels; ++k) {
          dot += static_cast<double>(a[k]) * b[k];
          aa += static_cast<double>(a[k]) * a[k];
          bb += static_cast<double>(b[k]) * b[k];
        }
        expected[n] = 1 - dot / std::sqrt(aa * bb);
      }
      EXPECT_LT(difference(d, expected), 2e-6) << patches << " patches, " << channels;
    }
  }
  EXPECT_GT(sparse, 60);
}

// Values are compared in mlp_test and attention_test: here, that the loops keep to their arrays.
TEST_P(LoopsTest, RowsOfAnyLength) {
  for (int i = 0; i < 100; ++i) {
    const int64_t count = number(1, 300);
    auto h = draw<float>(count, -9, 9), g = h, slope = h, sums = h;
    gelu(count, h.data(), 0.1F, g.data(), slope.data(), GetParam());
    gelu(count, h.data(), sums.data(), h.data(), static_cast<float*>(nullptr), GetParam());
    EXPECT_TRUE(std::isfinite(gelu_backward(count, g.data(), slope.data(), g.data(), GetParam())));
    gelu_backward(count, g.data(), slope.data(), g.data(), sums.data(), GetParam());
    EXPECT_TRUE(std::isfinite(sum_of(count, sums.data(), GetParam())));
    const auto d = draw<float>(count, 0, 2);
    masked_product(count, d.data(), 0.5F, g.data(), h.data(), GetParam());
    EXPECT_TRUE(std::isfinite(masked_product_backward(count, d.data(), 0.5F, g.data(), h.data(),
                                                      sums.data(), GetParam())));
    const RowMask<float> mask{d.data(), 1, 0.5F};
    float sum = 0;
    softmax_row(h.data(), count, mask, &sum, GetParam());
    EXPECT_GE(sum, 1);
    EXPECT_TRUE(std::isfinite(backward_row(h.data(), g.data(), count, mask, 3.0F, GetParam())));
  }
}

}  // namespace
}  // namespace remixer::kernels
