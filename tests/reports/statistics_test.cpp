// SPDX-License-Identifier: Apache-2.0
#include "reports/statistics.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

namespace remixer::reports {
namespace {

// Newcombe, "Two-sided confidence intervals for the single proportion", Stat. Med. 17 (1998),
// table I, method 3.
TEST(Statistics, WilsonAgreesWithPublishedIntervals) {
  const struct {
    double successes, n, low, high;
  } cases[] = {{81, 263, 0.2553, 0.3662},
               {15, 148, 0.0624, 0.1605},
               {0, 20, 0.0000, 0.1611},
               {1, 29, 0.0061, 0.1718}};
  for (const auto& c : cases) {
    const Estimate estimate = wilson(c.successes, c.n);
    EXPECT_NEAR(estimate.value, c.successes / c.n, 1e-15);
    EXPECT_NEAR(estimate.low, c.low, 5e-5) << c.successes << "/" << c.n;
    EXPECT_NEAR(estimate.high, c.high, 5e-5) << c.successes << "/" << c.n;
  }
}

TEST(Statistics, WilsonStaysWithinZeroAndOneAndHoldsTheValue) {
  for (double n : {1.0, 3.0, 1000.0, 4050.0}) {
    for (double successes : {0.0, n}) {
      const Estimate estimate = wilson(successes, n);
      EXPECT_GE(estimate.low, 0);
      EXPECT_LE(estimate.high, 1);
      EXPECT_LE(estimate.low, estimate.value);
      EXPECT_GE(estimate.high, estimate.value);
    }
  }
}

// Newcombe, "Interval estimation for the difference between independent proportions", Stat. Med. 17
// (1998), table II, method 10.
TEST(Statistics, DifferenceAgreesWithPublishedIntervals) {
  const struct {
    double a, m, b, n, low, high;
  } cases[] = {{56, 70, 48, 80, 0.0524, 0.3339},
               {9, 10, 3, 10, 0.1705, 0.8090},
               {5, 56, 0, 29, -0.0381, 0.1926},
               {0, 10, 0, 20, -0.1611, 0.2775},
               {10, 10, 0, 20, 0.6791, 1.0000}};
  for (const auto& c : cases) {
    const Estimate estimate = difference(wilson(c.a, c.m), wilson(c.b, c.n));
    EXPECT_NEAR(estimate.value, c.a / c.m - c.b / c.n, 1e-15);
    EXPECT_NEAR(estimate.low, c.low, 5e-5) << c.a << "/" << c.m;
    EXPECT_NEAR(estimate.high, c.high, 5e-5) << c.a << "/" << c.m;
  }
}

TEST(Statistics, DifferenceTurnsRoundWithItsArguments) {
  const Estimate a = wilson(640, 1000), b = wilson(700, 1000);
  const Estimate forth = difference(a, b), back = difference(b, a);
  EXPECT_DOUBLE_EQ(forth.low, -back.high);
  EXPECT_DOUBLE_EQ(forth.high, -back.low);
}

TEST(Statistics, MeanAndStandardDeviationOverSeeds) {
  const std::array<double, 8> values = {2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(mean(values), 5);
  EXPECT_NEAR(standard_deviation(values), 2.13808993529940, 1e-12);  // sqrt(32 / 7)
}

// t at 97.5 %: 12.706 with one degree of freedom, 4.303 with two (any table of the distribution).
TEST(Statistics, MeanIntervalIsStudents) {
  const std::array<double, 2> two = {1, 3};
  EXPECT_NEAR(mean_interval(two).high, 2 + 12.706205, 1e-5);
  const std::array<double, 3> three = {60, 62, 64};
  const Estimate estimate = mean_interval(three);
  EXPECT_DOUBLE_EQ(estimate.value, 62);
  EXPECT_NEAR(estimate.low, 62 - 4.302653 * 2 / std::sqrt(3.0), 1e-5);
  EXPECT_NEAR(estimate.high, 62 + 4.302653 * 2 / std::sqrt(3.0), 1e-5);
}

TEST(Statistics, McNemarIsTheExactBinomialTestOfTheDiscordantImages) {
  // 12 against 2: 2 (1 + 14 + 91) / 2^14.
  EXPECT_NEAR(mcnemar({20, 12, 2, 16}), 2 * 106.0 / 16384, 1e-12);
  EXPECT_NEAR(mcnemar({20, 2, 12, 16}), 2 * 106.0 / 16384, 1e-12);
  EXPECT_EQ(mcnemar({500, 7, 7, 100}), 1);
  EXPECT_EQ(mcnemar({10, 0, 0, 5}), 1);
  EXPECT_NEAR(mcnemar({0, 10, 0, 0}), 2.0 / 1024, 1e-15);
}

TEST(Statistics, AgreementCountsImageByImage) {
  const std::array<uint8_t, 5> a = {1, 1, 0, 0, 1}, b = {1, 0, 1, 0, 0};
  const Agreement counts = agreement(a, b);
  EXPECT_EQ(counts.both, 1);
  EXPECT_EQ(counts.only_a, 2);
  EXPECT_EQ(counts.only_b, 1);
  EXPECT_EQ(counts.neither, 1);
}

TEST(Statistics, PairedIntervalIsNewcombesAndNarrowerThanTheIndependentOne) {
  // Without correlation (10 · 15 = 15 · 10) both methods are one.
  const Estimate plain = paired_difference({10, 15, 10, 15});
  const Estimate independent = difference(wilson(25, 50), wilson(20, 50));
  EXPECT_NEAR(plain.low, independent.low, 1e-12);
  EXPECT_NEAR(plain.high, independent.high, 1e-12);
  const Estimate paired = paired_difference({600, 50, 20, 330});
  const Estimate wide = difference(wilson(650, 1000), wilson(620, 1000));
  EXPECT_NEAR(paired.value, 0.03, 1e-12);
  EXPECT_LT(paired.high - paired.low, 0.5 * (wide.high - wide.low));
  EXPECT_GT(paired.low, 0);
}

// Of intervals at 95 %, about 95 % hold the truth: pairs of a known correlation, drawn anew.
TEST(Statistics, PairedIntervalHoldsTheTruthAsOftenAsItSays) {
  std::mt19937_64 random(7);
  std::discrete_distribution<int> cell({0.60, 0.09, 0.05, 0.26});
  int held = 0;
  constexpr int kRounds = 3000;
  for (int round = 0; round < kRounds; ++round) {
    std::array<int64_t, 4> counts{};
    for (int i = 0; i < 300; ++i) ++counts[static_cast<size_t>(cell(random))];
    const Estimate d = paired_difference({counts[0], counts[1], counts[2], counts[3]});
    held += d.low <= 0.04 && 0.04 <= d.high;
  }
  EXPECT_NEAR(static_cast<double>(held) / kRounds, 0.95, 0.015);
}

TEST(Statistics, TTestAgreesWithItsInterval) {
  const std::array<double, 3> values = {3, 3.5, 4};
  // t = 3.5 / (0.5 / √3) = 12.124 with 2 degrees of freedom.
  EXPECT_NEAR(t_test(values), 0.006735, 1e-6);
  const std::array<double, 3> noise = {1, -1, 0.5};
  EXPECT_GT(t_test(noise), 0.05);
  const std::array<double, 2> none = {0, 0}, same = {1, 1};
  EXPECT_EQ(t_test(none), 1);
  EXPECT_EQ(t_test(same), 0);
}

}  // namespace
}  // namespace remixer::reports
