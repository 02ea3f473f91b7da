// SPDX-License-Identifier: Apache-2.0
// The attention kernels' own device code, run by the emulator, against loops in double precision.
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
  int batch, heads, tokens, prefix, width;
  int chunk = 0;  // rows in shared memory at a time; 0: as planned
  Storage element = Storage::kBFloat16, distance = Storage::kFloat;
  ThreadOrder order = ThreadOrder::kForward;
  double kappa = 0.8;
};
std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << "B" << s.batch << " H" << s.heads << " T" << s.tokens << " prefix " << s.prefix
             << " D" << s.width << " chunk " << s.chunk << " type " << static_cast<int>(s.element)
             << "/" << static_cast<int>(s.distance) << " order " << static_cast<int>(s.order);
}

// q, k, v, d_out lie as layers give them, [B, T, 3, H, D]: strided for the kernel.
struct Problem {
  Shape shape;
  Numbers q, k, v, d_out, distance;  // q ... [B, H, T, D]
  int patches() const { return shape.tokens - shape.prefix; }
  size_t size() const {
    return static_cast<size_t>(shape.batch) * shape.heads * shape.tokens * shape.width;
  }
  size_t at(int b, int h, int i, int c) const {
    return ((static_cast<size_t>(b) * shape.heads + h) * shape.tokens + i) * shape.width + c;
  }
};

Problem draw(const Shape& shape) {
  Problem p{.shape = shape, .q = {}, .k = {}, .v = {}, .d_out = {}, .distance = {}};
  std::mt19937 random(shape.tokens * 131 + shape.width);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(0, 4);
  const auto fill = [&](size_t n, double factor) {
    Numbers x(n);
    for (double& e : x) e = rounded(factor * normal(random), shape.element);
    return x;
  };
  p.q = fill(p.size(), 1.5), p.k = fill(p.size(), 1.5);
  p.v = fill(p.size(), 1), p.d_out = fill(p.size(), 1);
  p.distance.resize(static_cast<size_t>(shape.batch) * p.patches() * p.patches());
  // Not symmetric: a transposed index shows.
  for (double& e : p.distance) e = rounded(uniform(random), shape.distance);
  return p;
}

struct Result {
  Numbers out, dq, dk, dv;
  double d_kappa = 0;
  SimtCounters counters;
};

Result in_double(const Problem& p) {
  const Shape& s = p.shape;
  Result r;
  for (Numbers* x : {&r.out, &r.dq, &r.dk, &r.dv}) x->resize(p.size());
  const double scale = 1 / std::sqrt(static_cast<double>(s.width));
  const int n = p.patches();
  for (int b = 0; b < s.batch; ++b) {
    for (int h = 0; h < s.heads; ++h) {
      for (int i = 0; i < s.tokens; ++i) {
        Numbers a(s.tokens), d(s.tokens), da(s.tokens);
        double total = 0, mean = 0;
        for (int j = 0; j < s.tokens; ++j) {
          if (i >= s.prefix && j >= s.prefix)
            d[j] = p.distance[(static_cast<size_t>(b) * n + i - s.prefix) * n + j - s.prefix];
          for (int c = 0; c < s.width; ++c) a[j] += p.q[p.at(b, h, i, c)] * p.k[p.at(b, h, j, c)];
          total += a[j] = std::exp(a[j] * scale - s.kappa * d[j]);
        }
        for (int j = 0; j < s.tokens; ++j) {
          a[j] /= total;
          for (int c = 0; c < s.width; ++c) {
            r.out[p.at(b, h, i, c)] += a[j] * p.v[p.at(b, h, j, c)];
            da[j] += p.d_out[p.at(b, h, i, c)] * p.v[p.at(b, h, j, c)];
            r.dv[p.at(b, h, j, c)] += a[j] * p.d_out[p.at(b, h, i, c)];
          }
          mean += a[j] * da[j];
        }
        for (int j = 0; j < s.tokens; ++j) {
          const double ds = a[j] * (da[j] - mean);
          r.d_kappa -= ds * d[j];
          for (int c = 0; c < s.width; ++c) {
            r.dq[p.at(b, h, i, c)] += scale * ds * p.k[p.at(b, h, j, c)];
            r.dk[p.at(b, h, j, c)] += scale * ds * p.q[p.at(b, h, i, c)];
          }
        }
      }
    }
  }
  return r;
}

Result on_device(const Problem& p, uint64_t seed = 0) {
  const Shape& s = p.shape;
  DeviceBuffers buffers;
  // [B, T, 3, H, D], and every other tensor [B, T, H, D].
  Numbers qkv(3 * p.size()), gradient(p.size());
  const Numbers* parts[] = {&p.q, &p.k, &p.v};
  for (int b = 0; b < s.batch; ++b)
    for (int h = 0; h < s.heads; ++h)
      for (int i = 0; i < s.tokens; ++i)
        for (int c = 0; c < s.width; ++c) {
          const size_t row = static_cast<size_t>(b) * s.tokens + i;
          for (int which = 0; which < 3; ++which)
            qkv[((row * 3 + which) * s.heads + h) * s.width + c] =
                (*parts[which])[p.at(b, h, i, c)];
          gradient[(row * s.heads + h) * s.width + c] = p.d_out[p.at(b, h, i, c)];
        }
  const int64_t token = static_cast<int64_t>(s.heads) * s.width;
  const auto* first = static_cast<const BFloat16*>(buffers.input(qkv, s.element));
  const auto packed = [&](int which) {
    return Heads<const BFloat16>{first + which * token, 3 * token * s.tokens, s.width, 3 * token};
  };
  const auto output = [&] {
    return Heads<BFloat16>{static_cast<BFloat16*>(buffers.output(p.size(), s.element)),
                           token * s.tokens, s.width, token};
  };
  KernelCall call;
  call.element = s.element == Storage::kHalf ? Element::kHalf : Element::kBFloat16;
  call.float_distance = s.distance == Storage::kFloat;
  auto& a = call.attention;
  a.batch = s.batch, a.heads = s.heads, a.tokens = s.tokens, a.prefix = s.prefix, a.width = s.width;
  a.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(s.width)));
  a.q = packed(0), a.k = packed(1), a.v = packed(2);
  a.distance = static_cast<const float*>(buffers.input(p.distance, s.distance));
  a.kappa = static_cast<const float*>(buffers.input({s.kappa}, Storage::kFloat));
  a.out = output(), a.dq = output(), a.dk = output(), a.dv = output();
  a.d_out = {static_cast<const BFloat16*>(buffers.input(gradient, s.element)), token * s.tokens,
             s.width, token};
  const size_t rows = static_cast<size_t>(s.batch) * s.heads * s.tokens;
  a.log_sums = static_cast<float*>(buffers.output(rows, Storage::kFloat));
  a.delta = static_cast<float*>(buffers.output(rows, Storage::kFloat));
  call.kernel = Kernel::kAttentionBackwardQ;
  plan_attention(call, s.chunk);
  const size_t parts_of_kappa = attention_d_kappa_parts(call);
  a.d_kappa = static_cast<float*>(buffers.output(parts_of_kappa, Storage::kFloat));

  Result r;
  for (const Kernel kernel : {Kernel::kAttentionForward, Kernel::kAttentionDelta,
                              Kernel::kAttentionBackwardQ, Kernel::kAttentionBackwardKv}) {
    call.kernel = kernel;
    plan_attention(call, s.chunk);
    r.counters += testing::run(call, buffers, s.order, seed);
  }
  const auto read = [&](const Heads<BFloat16>& x) {
    const Numbers flat = buffers.read(x.data, p.size(), s.element);
    Numbers y(p.size());
    for (int b = 0; b < s.batch; ++b)
      for (int h = 0; h < s.heads; ++h)
        for (int i = 0; i < s.tokens; ++i)
          for (int c = 0; c < s.width; ++c)
            y[p.at(b, h, i, c)] =
                flat[((static_cast<size_t>(b) * s.tokens + i) * s.heads + h) * s.width + c];
    return y;
  };
  r.out = read(a.out), r.dq = read(a.dq), r.dk = read(a.dk), r.dv = read(a.dv);
  for (const double part : buffers.read(a.d_kappa, parts_of_kappa, Storage::kFloat))
    r.d_kappa += part;
  return r;
}

// Largest difference, in units of the reference's largest value.
double error(const Numbers& ours, const Numbers& reference) {
  double worst = 0, largest = 1e-30;
  for (size_t i = 0; i < ours.size(); ++i) {
    worst = std::isnan(ours[i]) ? INFINITY : std::max(worst, std::abs(ours[i] - reference[i]));
    largest = std::max(largest, std::abs(reference[i]));
  }
  return worst / largest;
}

void expect_right(const Problem& p) {
  const Result ours = on_device(p), reference = in_double(p);
  // P, dS and the results are rounded: bfloat16 keeps 8 bits, half 11.
  const double tolerance = p.shape.element == Storage::kHalf ? 0.002 : 0.012;
  EXPECT_LT(error(ours.out, reference.out), tolerance);
  EXPECT_LT(error(ours.dv, reference.dv), tolerance);
  if (p.shape.tokens > 1) {  // else these are 0, and ours rounding
    EXPECT_LT(error(ours.dq, reference.dq), tolerance);
    EXPECT_LT(error(ours.dk, reference.dk), tolerance);
  }
  EXPECT_NEAR(ours.d_kappa, reference.d_kappa,
              1e-4 * p.shape.batch * p.shape.heads * p.shape.tokens);
}

class AttentionDevice : public ::testing::TestWithParam<Shape> {};

TEST_P(AttentionDevice, EqualsDoublePrecision) {
  expect_right(draw(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, AttentionDevice,
    ::testing::Values(
        Shape{1, 1, 16, 0, 64}, Shape{1, 1, 1, 0, 8}, Shape{1, 1, 1, 1, 16}, Shape{2, 2, 17, 1, 64},
        Shape{1, 2, 50, 1, 64}, Shape{1, 1, 33, 2, 40}, Shape{1, 1, 31, 3, 128},
        Shape{2, 1, 20, 0, 72}, Shape{1, 1, 197, 1, 64},      // DeiT's, one chunk
        Shape{1, 2, 80, 1, 32}, Shape{1, 1, 100, 0, 24, 32},  // narrow heads, many rows
        Shape{1, 1, 150, 1, 64, 64},                          // chunks, two stages
        Shape{1, 1, 100, 0, 128, 32},                         //
        Shape{1, 1, 65, 0, 64, 32},                           // a chunk of one row
        Shape{1, 2, 49, 1, 64, 0, Storage::kHalf},
        Shape{1, 1, 40, 1, 64, 16, Storage::kHalf, Storage::kHalf},
        Shape{1, 1, 49, 0, 64, 0, Storage::kBFloat16, Storage::kBFloat16},
        Shape{1, 1, 90, 1, 64, 32, Storage::kBFloat16, Storage::kFloat, ThreadOrder::kBackward},
        Shape{1, 1, 90, 1, 64, 32, Storage::kBFloat16, Storage::kFloat, ThreadOrder::kShuffled},
        Shape{1, 1, 90, 1, 64, 32, Storage::kBFloat16, Storage::kFloat, ThreadOrder::kWarpByWarp},
        Shape{1, 1, 30, 1, 64, 0, Storage::kBFloat16, Storage::kFloat, ThreadOrder::kForward,
              0.0}));

TEST(AttentionDeviceOrder, ResultsDoNotDependOnTheThreadsOrder) {
  Shape shape{1, 1, 60, 1, 64, 32};
  const Result first = on_device(draw(shape));
  for (const ThreadOrder order :
       {ThreadOrder::kBackward, ThreadOrder::kShuffled, ThreadOrder::kWarpByWarp}) {
    shape.order = order;
    const Result other = on_device(draw(shape), 7);
    EXPECT_EQ(first.out, other.out);
    EXPECT_EQ(first.dq, other.dq);
    EXPECT_EQ(first.dk, other.dk);
    EXPECT_EQ(first.dv, other.dv);
    EXPECT_EQ(first.d_kappa, other.d_kappa);
  }
}

TEST(AttentionDeviceDesign, NoBankConflictsAndWholeSectors) {
  const SimtCounters c = on_device(draw({1, 1, 197, 1, 64})).counters;
  EXPECT_EQ(c.shared_wavefronts, c.shared_ideal_wavefronts);
  // 13 × 13 blocks of 16 × 16: 8 products of m16n8k16 each for S and for P V; backward 16 for dq's
  // S and dP, 8 for dq, 16 and 16 for dk and dv.
  EXPECT_EQ(c.multiply_adds, 13 * 13 * (16 + 24 + 32));
  for (const int width : {32, 128}) {
    const SimtCounters other = on_device(draw({1, 1, 80, 1, width})).counters;
    EXPECT_EQ(other.shared_wavefronts, other.shared_ideal_wavefronts) << width;
  }
}

TEST(AttentionDeviceDesign, ChunksAddNoWork) {
  const SimtCounters whole = on_device(draw({1, 1, 100, 1, 64})).counters;
  const SimtCounters chunks = on_device(draw({1, 1, 100, 1, 64, 32})).counters;
  EXPECT_EQ(chunks.multiply_adds, whole.multiply_adds);
}

}  // namespace
}  // namespace remixer::device
