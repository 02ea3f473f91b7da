#include "reports/statistics.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

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

}  // namespace
}  // namespace remixer::reports
