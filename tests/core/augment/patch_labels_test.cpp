// SPDX-License-Identifier: Apache-2.0
// Patch labels against loops over every cell of the map, in double precision.
#include "core/augment/patch_labels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/random.h"

namespace remixer::data {
namespace {

// The length that [a0, a1] and [b0, b1] share.
double overlap(double a0, double a1, double b0, double b1) {
  return std::max(0.0, std::min(a1, b1) - std::max(a0, b0));
}

// Cell (y, x) of a map as a full vector: top-k entries scattered into zeros.
std::vector<double> full_cell(const LabelMap& map, int y, int x) {
  std::vector<double> cell(static_cast<size_t>(map.channels), 0.0);
  const size_t place = static_cast<size_t>(y) * map.width + x;
  if (map.top_k == 0) {
    for (size_t c = 0; c < cell.size(); ++c) cell[c] = map.values[place * cell.size() + c];
  }
  for (size_t r = 0; r < static_cast<size_t>(map.top_k); ++r) {
    cell[map.indices[place * map.top_k + r]] = map.values[place * map.top_k + r];
  }
  return cell;
}

std::vector<double> plain_patch_labels(const LabelMap& map, const Region& region, int grid) {
  const double height = (region.bottom - region.top) / grid * map.height;
  const double width = (region.right - region.left) / grid * map.width;
  std::vector<double> out;
  for (int row = 0; row < grid; ++row) {
    for (int column = 0; column < grid; ++column) {
      const double top = region.top * map.height + row * height;
      const double left =
          region.left * map.width + (region.mirrored ? grid - 1 - column : column) * width;
      std::vector<double> sum(static_cast<size_t>(map.channels), 0.0);
      for (int y = 0; y < map.height; ++y) {
        for (int x = 0; x < map.width; ++x) {
          const double area =
              overlap(top, top + height, y, y + 1) * overlap(left, left + width, x, x + 1);
          const auto cell = full_cell(map, y, x);
          for (size_t c = 0; c < sum.size(); ++c) sum[c] += area / (height * width) * cell[c];
        }
      }
      if (map.top_k > 0) {
        const double largest = *std::max_element(sum.begin(), sum.end());
        for (double& value : sum) value = std::exp(value - largest);
        const double total = std::accumulate(sum.begin(), sum.end(), 0.0);
        for (double& value : sum) value /= total;
      }
      out.insert(out.end(), sum.begin(), sum.end());
    }
  }
  return out;
}

LabelMap random_map(Random& random, int channels, int top_k) {
  LabelMap map;
  map.height = 1 + static_cast<int>(random.below(20));
  map.width = 1 + static_cast<int>(random.below(20));
  map.channels = channels;
  map.top_k = top_k;
  const size_t cells = static_cast<size_t>(map.height) * map.width;
  for (size_t cell = 0; cell < cells; ++cell) {
    std::vector<uint16_t> classes(static_cast<size_t>(channels));
    std::iota(classes.begin(), classes.end(), uint16_t{0});
    for (int r = 0; r < (top_k > 0 ? top_k : channels); ++r) {
      const auto i = static_cast<size_t>(r);
      map.values.push_back(static_cast<float>(random.uniform(-3, 12)));
      if (top_k == 0) continue;
      std::swap(classes[i], classes[i + random.below(classes.size() - i)]);
      map.indices.push_back(classes[i]);
    }
  }
  return map;
}

Region random_region(Random& random) {
  Region region;
  region.left = random.uniform(0, 0.8);
  region.right = random.uniform(region.left + 0.05, 1);
  region.top = random.uniform(0, 0.8);
  region.bottom = random.uniform(region.top + 0.05, 1);
  region.mirrored = random.below(2) == 1;
  return region;
}

std::vector<float> written_out(const SparsePatchLabels& sparse, size_t channels) {
  std::vector<float> out;
  size_t entry = 0;
  for (size_t patch = 0; patch < sparse.others.size(); ++patch) {
    out.resize(out.size() + channels, sparse.others[patch]);
    for (; entry < sparse.ends[patch]; ++entry) {
      out[patch * channels + sparse.classes[entry]] = sparse.values[entry];
    }
  }
  return out;
}

void expect_equal_to_plain_loops(const LabelMap& map, const Region& region, int grid) {
  std::vector<float> labels(static_cast<size_t>(grid) * grid * map.channels, -1.0f);
  patch_labels(map, region, grid, labels.data());
  const auto expected = plain_patch_labels(map, region, grid);
  ASSERT_EQ(labels.size(), expected.size());
  for (size_t i = 0; i < labels.size(); ++i) ASSERT_NEAR(labels[i], expected[i], 2e-5) << i;
  if (map.top_k == 0) return;
  SparsePatchLabels sparse;
  patch_labels(map, region, grid, sparse);
  EXPECT_EQ(written_out(sparse, static_cast<size_t>(map.channels)), labels);
}

struct Kind {
  int channels, top_k;
};
class PatchLabels : public ::testing::TestWithParam<Kind> {};

TEST_P(PatchLabels, EqualPlainLoopsOnRandomMapsAndRegions) {
  const auto [channels, top_k] = GetParam();
  for (uint64_t trial = 0; trial < 60; ++trial) {
    SCOPED_TRACE(trial);
    Random random(1, RandomPurpose::kTest, trial, static_cast<uint64_t>(channels));
    const LabelMap map = random_map(random, channels, top_k);
    const int grid = 1 + static_cast<int>(random.below(9));
    expect_equal_to_plain_loops(map, random_region(random), grid);
    expect_equal_to_plain_loops(map, Region{}, grid);
  }
}

// In the last kind every class is named by some cell, so no channel keeps the logit zero.
INSTANTIATE_TEST_SUITE_P(Kinds, PatchLabels,
                         ::testing::Values(Kind{1, 0}, Kind{3, 0}, Kind{50, 5}, Kind{7, 1},
                                           Kind{4, 4}),
                         [](const auto& info) {
                           return "Channels" + std::to_string(info.param.channels) + "Top" +
                                  std::to_string(info.param.top_k);
                         });

TEST(PatchLabelsTest, AWholeImageOnItsOwnGridIsTheMapItself) {
  LabelMap map;
  map.height = map.width = 2;
  map.values = {0.0f, 0.25f, 0.5f, 1.0f};
  std::vector<float> labels(4);
  patch_labels(map, {}, 2, labels.data());
  EXPECT_EQ(labels, map.values);
  patch_labels(map, {.mirrored = true}, 2, labels.data());
  EXPECT_EQ(labels, (std::vector<float>{0.25f, 0.0f, 1.0f, 0.5f}));
}

// A wide image of which a map knows the middle half: what it does not cover is background, and what
// it covers lies where it lies in the image.
TEST(PatchLabelsTest, AMapOfAPartLeavesTheRestWithoutLabels) {
  LabelMap map;
  map.height = map.width = 2;
  map.values = {1, 0.5f, 0.25f, 0.75f};
  map.cover = {0.25f, 0, 0.75f, 1};
  std::vector<float> labels(16);
  patch_labels(map, {}, 4, labels.data());
  EXPECT_EQ(labels, (std::vector<float>{0, 1, 0.5f, 0, 0, 1, 0.5f, 0, 0, 0.25f, 0.75f, 0, 0, 0.25f,
                                        0.75f, 0}));
  patch_labels(map, {0.25, 0, 0.75, 1}, 2, labels.data());
  EXPECT_EQ(std::vector<float>(labels.begin(), labels.begin() + 4), map.values);
  // Half of each outer patch is covered.
  patch_labels(map, {}, 2, labels.data());
  EXPECT_EQ(labels[0], 0.5f);

  map.channels = 3;
  map.top_k = 1;
  map.values = {2, 2, 2, 2};
  map.indices = {1, 1, 1, 1};
  std::vector<float> classes(4 * 4 * 3);
  patch_labels(map, {}, 4, classes.data());
  EXPECT_FLOAT_EQ(classes[0], 1.0f / 3);  // outside: all classes alike
  EXPECT_FLOAT_EQ(classes[1], 1.0f / 3);
  EXPECT_FLOAT_EQ(classes[4], static_cast<float>(std::exp(2.0) / (std::exp(2.0) + 2)));
}

TEST(PatchLabelsTest, ARegionWithoutAnAreaTakesItsCell) {
  LabelMap map;
  map.height = map.width = 2;
  map.values = {0.0f, 0.25f, 0.5f, 1.0f};
  float label = -1;
  patch_labels(map, {.left = 1, .top = 0.25, .right = 1, .bottom = 0.25}, 1, &label);
  EXPECT_EQ(label, 0.25f);
}

// Large logits must not overflow, and one map's classes must not leak into the next one's labels.
TEST(PatchLabelsTest, SoftmaxIsStableAndLeavesNothingBehind) {
  LabelMap map;
  map.height = map.width = 1;
  map.channels = 1000;
  map.top_k = 2;
  map.values = {500.0f, 499.0f};
  map.indices = {3, 999};
  std::vector<float> labels(1000);
  patch_labels(map, {}, 1, labels.data());
  EXPECT_NEAR(labels[3], 1 / (1 + std::exp(-1.0)), 1e-6);
  EXPECT_NEAR(labels[999], 1 / (1 + std::exp(1.0)), 1e-6);
  EXPECT_EQ(labels[0], 0.0f);
  map.values = {0.0f, 0.0f};
  map.indices = {4, 5};
  patch_labels(map, {}, 1, labels.data());
  for (const float label : labels) ASSERT_NEAR(label, 1e-3, 1e-8);
}

}  // namespace
}  // namespace remixer::data
