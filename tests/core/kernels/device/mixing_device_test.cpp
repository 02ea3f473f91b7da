// SPDX-License-Identifier: Apache-2.0
// The mixing kernels' own device code, run by the emulator, against loops in double precision.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <random>

#include "tests/core/kernels/device/emulated.h"

namespace remixer::device {
namespace {

using remixer::testing::DeviceBuffers;
using remixer::testing::rounded;
using remixer::testing::SimtCounters;
using remixer::testing::Storage;
using remixer::testing::ThreadOrder;
using Numbers = std::vector<double>;

struct Shape {
  int batch, rows, columns, channels;  // a grid of patches
  int kernel = 0;                      // 0: W is dense
  bool complement = false;
  Storage element = Storage::kBFloat16, distance = Storage::kFloat;
  ThreadOrder order = ThreadOrder::kForward;
  bool add = false;
  int patches() const { return rows * columns; }
};
std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << "B" << s.batch << " " << s.rows << "x" << s.columns << " C" << s.channels
             << " kernel " << s.kernel << (s.complement ? " complement" : "") << " type "
             << static_cast<int>(s.element) << "/" << static_cast<int>(s.distance);
}

constexpr double kKappa = 0.6;

struct Problem {
  Shape shape;
  Numbers weight, x, y, dy, distance;
  // W_ij; `at` is its place among the weights, -1 for none.
  int place(int i, int j) const {
    const int n = shape.patches(), s = shape.kernel;
    if (s == 0) return i * n + j;
    const int row = j / shape.columns - i / shape.columns + s / 2;
    const int column = j % shape.columns - i % shape.columns + s / 2;
    return row < 0 || row >= s || column < 0 || column >= s ? -1 : row * s + column;
  }
  double w(int i, int j) const { return place(i, j) < 0 ? 0 : weight[place(i, j)]; }
  double d(int b, int i, int j) const {
    return distance[(static_cast<size_t>(b) * shape.patches() + i) * shape.patches() + j];
  }
  double f(int b, int i, int j) const {
    const double m = std::exp(-kKappa * d(b, i, j));
    return shape.complement ? 1 - m : m;
  }
};

Problem draw(const Shape& s) {
  std::mt19937 random(s.patches() * 31 + s.channels);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(0, 3);
  const auto fill = [&](size_t n) {
    Numbers x(n);
    for (double& e : x) e = rounded(normal(random), s.element);
    return x;
  };
  const size_t n = s.patches(), tokens = s.batch * n * s.channels;
  Problem p{.shape = s,
            .weight = fill(s.kernel == 0 ? n * n : s.kernel * s.kernel),
            .x = fill(tokens),
            .y = fill(tokens),
            .dy = fill(tokens),
            .distance = Numbers(s.batch * n * n)};
  for (double& e : p.distance) e = rounded(uniform(random), s.distance);
  return p;
}

struct Result {
  Numbers y, dx, d_weight, d_distance;
  double d_kappa = 0;
  SimtCounters product, gradient;
};

Result in_double(const Problem& p) {
  const Shape& s = p.shape;
  const int n = s.patches(), c = s.channels;
  Result r;
  r.y = s.add ? p.y : Numbers(p.y.size());
  r.dx.resize(p.x.size());
  r.d_weight.resize(n * n);
  r.d_distance.resize(p.distance.size());
  for (int b = 0; b < s.batch; ++b)
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) {
        const double f = p.f(b, i, j), w = p.w(i, j);
        const size_t to = (static_cast<size_t>(b) * n + i) * c,
                     from = (static_cast<size_t>(b) * n + j) * c;
        double product = 0;
        for (int e = 0; e < c; ++e) {
          r.y[to + e] += f * w * p.x[from + e];
          r.dx[from + e] += f * w * p.dy[to + e];
          product += p.dy[to + e] * p.x[from + e];
        }
        r.d_weight[i * n + j] += f * product;
        const double to_u =
            (s.complement ? 1 : -1) * std::exp(-kKappa * p.d(b, i, j)) * w * product;
        r.d_distance[(static_cast<size_t>(b) * n + i) * n + j] = kKappa * to_u;
        r.d_kappa += to_u * p.d(b, i, j);
      }
  return r;
}

Result on_device(const Problem& p, int slices = 0) {
  const Shape& s = p.shape;
  const size_t n = s.patches();
  DeviceBuffers buffers;
  const auto input = [&](const Numbers& x) {
    return static_cast<const BFloat16*>(buffers.input(x, s.element));
  };
  KernelCall call;
  call.element = s.element == Storage::kHalf ? Element::kHalf : Element::kBFloat16;
  call.float_distance = s.distance == Storage::kFloat;
  auto& a = call.mixing;
  a.batch = s.batch, a.patches = static_cast<int>(n), a.channels = s.channels;
  a.kernel = s.kernel, a.columns = s.columns, a.complement = s.complement;
  a.weight = input(p.weight);
  a.distance = static_cast<const float*>(buffers.input(p.distance, s.distance));
  a.kappa = static_cast<const float*>(buffers.input({kKappa}, Storage::kFloat));
  Result r;
  const auto product = [&](const BFloat16* x, bool transposed, bool add) {
    auto* y = static_cast<BFloat16*>(buffers.output(p.x.size(), s.element));
    if (add) {
      for (size_t i = 0; i < p.y.size(); ++i) {
        const auto v = static_cast<float>(p.y[i]);
        y[i].bits = static_cast<uint16_t>(s.element == Storage::kHalf ? pack<Half>(v, v)
                                                                      : pack<BFloat16>(v, v));
      }
    }
    a.x = x, a.y = y, a.transposed = transposed, a.add = add;
    call.kernel = Kernel::kMixingProduct;
    plan_mixing(call);
    r.product += testing::run(call, buffers, s.order);
    return buffers.read(y, p.x.size(), s.element);
  };
  const BFloat16 *x = input(p.x), *dy = input(p.dy);
  r.y = product(x, false, s.add);
  r.dx = product(dy, true, false);

  call.kernel = Kernel::kMixingGradient;
  a.transposed = a.add = false;
  a.x = x, a.dy = dy, a.y = nullptr;
  a.slices = slices > 0 ? slices : plan_slices(s.batch, static_cast<int>(n));
  plan_mixing(call);
  const size_t blocks = static_cast<size_t>(call.grid[0]) * call.grid[1] * call.grid[2];
  a.d_weight = static_cast<float*>(buffers.output(a.slices * n * n, Storage::kFloat));
  a.d_kappa = static_cast<float*>(buffers.output(blocks, Storage::kFloat));
  a.d_distance = static_cast<float*>(buffers.output(p.distance.size(), Storage::kFloat));
  r.gradient = testing::run(call, buffers, s.order);
  const Numbers parts = buffers.read(a.d_weight, a.slices * n * n, Storage::kFloat);
  r.d_weight.assign(n * n, 0);
  for (size_t i = 0; i < parts.size(); ++i) r.d_weight[i % (n * n)] += parts[i];
  for (const double part : buffers.read(a.d_kappa, blocks, Storage::kFloat)) r.d_kappa += part;
  r.d_distance = buffers.read(a.d_distance, p.distance.size(), Storage::kFloat);
  return r;
}

double error(const Numbers& ours, const Numbers& reference) {
  double worst = 0, largest = 1e-30;
  for (size_t i = 0; i < ours.size(); ++i) {
    worst = std::isnan(ours[i]) ? INFINITY : std::max(worst, std::abs(ours[i] - reference[i]));
    largest = std::max(largest, std::abs(reference[i]));
  }
  return worst / largest;
}

class MixingDevice : public ::testing::TestWithParam<Shape> {};

TEST_P(MixingDevice, EqualsDoublePrecision) {
  const Problem p = draw(GetParam());
  const Result ours = on_device(p), reference = in_double(p);
  const double tolerance = p.shape.element == Storage::kHalf ? 0.001 : 0.006;
  EXPECT_LT(error(ours.y, reference.y), tolerance);
  EXPECT_LT(error(ours.dx, reference.dx), tolerance);
  // In float throughout.
  EXPECT_LT(error(ours.d_weight, reference.d_weight), 1e-5);
  EXPECT_LT(error(ours.d_distance, reference.d_distance), 1e-5);
  EXPECT_NEAR(ours.d_kappa, reference.d_kappa, 1e-3 * p.shape.batch * p.shape.patches());
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MixingDevice,
    ::testing::Values(
        Shape{1, 1, 1, 8}, Shape{2, 4, 4, 64}, Shape{1, 5, 7, 40}, Shape{2, 9, 9, 72, 0, true},
        Shape{1, 14, 14, 64, 0, true}, Shape{1, 14, 14, 64, 9}, Shape{2, 6, 5, 24, 3},
        Shape{1, 3, 20, 16, 5}, Shape{1, 20, 3, 136, 7, true}, Shape{1, 5, 13, 16},
        Shape{3, 4, 6, 8, 9}, Shape{1, 8, 9, 64, 0, false, Storage::kHalf, Storage::kHalf},
        Shape{1, 8, 9, 64, 3, false, Storage::kBFloat16, Storage::kBFloat16},
        Shape{1, 8, 9, 64, 0, true, Storage::kBFloat16, Storage::kFloat, ThreadOrder::kForward,
              true},
        Shape{1, 8, 9, 72, 0, true, Storage::kBFloat16, Storage::kFloat, ThreadOrder::kBackward},
        Shape{1, 8, 9, 72, 5, true, Storage::kBFloat16, Storage::kFloat, ThreadOrder::kShuffled},
        Shape{1, 8, 9, 72, 5, false, Storage::kBFloat16, Storage::kFloat,
              ThreadOrder::kWarpByWarp}));

TEST(MixingDeviceSlices, AnyNumberOfPartsGivesTheSameSums) {
  const Problem p = draw({5, 3, 3, 8});
  const Result reference = in_double(p);
  for (const int slices : {1, 2, 3, 4, 5}) {
    const Result ours = on_device(p, slices);
    EXPECT_LT(error(ours.d_weight, reference.d_weight), 1e-5) << slices;
    EXPECT_LT(error(ours.d_distance, reference.d_distance), 1e-5) << slices;
  }
}

TEST(MixingDeviceDesign, NoBankConflictsAndOnlyBlocksWithPlacesOfTheKernel) {
  const Result dense = on_device(draw({1, 14, 14, 64})),
               sparse = on_device(draw({1, 14, 14, 64, 3}));
  for (const SimtCounters& c : {dense.product, dense.gradient, sparse.product})
    EXPECT_EQ(c.shared_wavefronts, c.shared_ideal_wavefronts);
  EXPECT_LT(sparse.product.multiply_adds, dense.product.multiply_adds / 2);
}

}  // namespace
}  // namespace remixer::device
