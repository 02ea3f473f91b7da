// SPDX-License-Identifier: Apache-2.0
#include "core/training/hold_out.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"

namespace remixer::training {
namespace {

TEST(DivideTest, EverySampleIsOnOneSide) {
  const Division division = divide(3, 1000, 0.1);
  EXPECT_EQ(division.held_out.size(), 100u);
  EXPECT_EQ(division.trained.size(), 900u);
  std::vector<int64_t> all = division.held_out;
  all.insert(all.end(), division.trained.begin(), division.trained.end());
  std::sort(all.begin(), all.end());
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(all[static_cast<size_t>(i)], i);
  EXPECT_TRUE(std::is_sorted(division.trained.begin(), division.trained.end()));
}

TEST(DivideTest, TheSeedAloneChooses) {
  EXPECT_EQ(divide(3, 1000, 0.1).held_out, divide(3, 1000, 0.1).held_out);
  EXPECT_NE(divide(3, 1000, 0.1).held_out, divide(4, 1000, 0.1).held_out);
}

// Each sample is as likely as any other: over many seeds the counts stay near the mean.
TEST(DivideTest, ChoosesWithoutFavour) {
  std::vector<int> count(50);
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    for (int64_t sample : divide(seed, 50, 0.2).held_out) ++count[static_cast<size_t>(sample)];
  }
  // 400 expected, deviation 18.
  for (int times : count) EXPECT_NEAR(times, 400, 90);
}

TEST(DivideTest, NothingHeldOutLeavesAllInOrder) {
  const Division division = divide(3, 5, 0);
  EXPECT_TRUE(division.held_out.empty());
  EXPECT_EQ(division.trained, (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

TEST(DivideTest, AnEmptySideIsRefused) {
  EXPECT_THROW(divide(3, 5, 0.1), InputError);
  EXPECT_NO_THROW(divide(3, 5, 0.2));
}

}  // namespace
}  // namespace remixer::training
