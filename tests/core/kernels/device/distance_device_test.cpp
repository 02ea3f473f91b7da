// SPDX-License-Identifier: Apache-2.0
// The distance kernels' own device code, run by the emulator, against loops in double precision.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <random>

#include "tests/core/kernels/device/emulated.h"

namespace remixer::device {
namespace {

using remixer::testing::DeviceBuffers;
using remixer::testing::SimtCounters;
using remixer::testing::Storage;
using remixer::testing::ThreadOrder;
using Numbers = std::vector<double>;

struct Shape {
  int batch, patches, channels;
  bool cosine = false;
  Storage distance = Storage::kFloat;
  ThreadOrder order = ThreadOrder::kForward;
};
std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << "B" << s.batch << " N" << s.patches << " K" << s.channels
             << (s.cosine ? " cosine" : " l1") << " type " << static_cast<int>(s.distance)
             << " order " << static_cast<int>(s.order);
}

// Of each image some rows are zero and some are equal to the one before.
Numbers draw(const Shape& s) {
  std::mt19937 random(s.patches * 17 + s.channels);
  std::normal_distribution<double> normal;
  Numbers y(static_cast<size_t>(s.batch) * s.patches * s.channels);
  for (int row = 0; row < s.batch * s.patches; ++row) {
    for (int k = 0; k < s.channels; ++k) {
      double& value = y[static_cast<size_t>(row) * s.channels + k];
      value = static_cast<float>(normal(random));
      if (row % 5 == 1) value = 0;
      if (row % 7 == 3) value = y[static_cast<size_t>(row - 1) * s.channels + k];
    }
  }
  return y;
}

Numbers in_double(const Shape& s, const Numbers& y) {
  Numbers d;
  for (int b = 0; b < s.batch; ++b)
    for (int i = 0; i < s.patches; ++i)
      for (int j = 0; j < s.patches; ++j) {
        const double* x = &y[(static_cast<size_t>(b) * s.patches + i) * s.channels];
        const double* z = &y[(static_cast<size_t>(b) * s.patches + j) * s.channels];
        double sum = 0, product = 0, own = 0, other = 0;
        for (int k = 0; k < s.channels; ++k) {
          sum += std::abs(x[k] - z[k]), product += x[k] * z[k];
          own += x[k] * x[k], other += z[k] * z[k];
        }
        const double cosine = own == 0 || other == 0
                                  ? (own == other ? 0 : 1)
                                  : std::max(0.0, 1 - product / std::sqrt(own * other));
        d.push_back(s.cosine ? cosine : sum);
      }
  return d;
}

struct Result {
  Numbers distance;
  SimtCounters counters;
};

Result on_device(const Shape& s, const Numbers& y) {
  DeviceBuffers buffers;
  KernelCall call;
  call.element = s.distance == Storage::kHalf ? Element::kHalf : Element::kBFloat16;
  call.float_distance = s.distance == Storage::kFloat;
  auto& a = call.distance;
  a.batch = s.batch, a.patches = s.patches, a.channels = s.channels, a.cosine = s.cosine;
  const size_t count = static_cast<size_t>(s.batch) * s.patches * s.patches;
  a.labels = static_cast<const float*>(buffers.input(y, Storage::kFloat));
  a.distance = static_cast<float*>(buffers.output(count, s.distance));
  plan_distance(call);
  Result r;
  r.counters = testing::run(call, buffers, s.order);
  r.distance = buffers.read(a.distance, count, s.distance);
  return r;
}

class DistanceDevice : public ::testing::TestWithParam<Shape> {};

TEST_P(DistanceDevice, EqualsDoublePrecision) {
  const Shape& s = GetParam();
  const Numbers y = draw(s), reference = in_double(s, y);
  const Result ours = on_device(s, y);
  const double relative = s.distance == Storage::kBFloat16 ? 1.0 / 256
                          : s.distance == Storage::kHalf   ? 1.0 / 2048
                                                           : 1e-6;
  for (size_t at = 0; at < reference.size(); ++at) {
    // The float sums' own rounding beside the storage's.
    ASSERT_NEAR(ours.distance[at], reference[at], relative * reference[at] + 2e-6) << at;
    ASSERT_GE(ours.distance[at], 0) << at;
  }
  EXPECT_EQ(ours.counters.shared_wavefronts, ours.counters.shared_ideal_wavefronts);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, DistanceDevice,
    ::testing::Values(
        Shape{1, 1, 1}, Shape{2, 3, 1}, Shape{3, 14, 1, true}, Shape{2, 49, 1},
        Shape{1, 50, 1, false, Storage::kBFloat16}, Shape{3, 9, 1, true, Storage::kHalf},
        Shape{2, 33, 1, false, Storage::kHalf, ThreadOrder::kShuffled}, Shape{1, 1, 2},
        Shape{2, 5, 3, true}, Shape{1, 70, 33}, Shape{2, 64, 32, true}, Shape{1, 130, 7, true},
        Shape{2, 20, 100, true, Storage::kBFloat16}, Shape{2, 20, 65, false, Storage::kHalf},
        Shape{1, 66, 40, true, Storage::kFloat, ThreadOrder::kBackward},
        Shape{1, 66, 40, false, Storage::kFloat, ThreadOrder::kShuffled},
        Shape{1, 66, 70, true, Storage::kFloat, ThreadOrder::kWarpByWarp}));

TEST(DistanceDeviceValues, IsSymmetricAndZeroBetweenEqualRows) {
  for (const bool cosine : {false, true}) {
    const Shape s{1, 30, 50, cosine};
    const Numbers y = draw(s), d = on_device(s, y).distance;
    for (int i = 0; i < 30; ++i)
      for (int j = 0; j < 30; ++j) EXPECT_EQ(d[i * 30 + j], d[j * 30 + i]) << i << " " << j;
    EXPECT_LT(d[3 * 30 + 2], 1e-6) << "rows 2 and 3 are equal";
  }
}

TEST(DistanceDeviceValues, LabelsThatAreNotNumbersStayVisible) {
  for (const int channels : {1, 3}) {
    for (const bool cosine : {false, true}) {
      const Shape s{1, 4, channels, cosine};
      Numbers y(4 * channels, 1);
      y[2 * channels] = NAN;
      const Numbers d = on_device(s, y).distance;
      for (int j = 0; j < 4; ++j) EXPECT_TRUE(std::isnan(d[2 * 4 + j])) << j;
      EXPECT_EQ(d[1], 0);
    }
  }
}

TEST(DistanceDeviceDesign, SaliencyReadsNNumbersAndWritesWholeSectors) {
  const Shape s{2, 196, 1, false, Storage::kBFloat16};
  const SimtCounters c = on_device(s, draw(s)).counters;
  EXPECT_EQ(c.store_sectors, c.store_ideal_sectors);
  EXPECT_EQ(c.store_bytes, 2 * 196 * 196 * 2);
}

}  // namespace
}  // namespace remixer::device
