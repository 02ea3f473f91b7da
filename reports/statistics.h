// SPDX-License-Identifier: Apache-2.0
// Statistics: intervals for accuracies and their differences, and tests that tell a difference from
// noise. All at 95 %. Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <span>

namespace remixer::reports {

// A value with its 95 % interval, in the caller's unit.
struct Estimate {
  double value = 0;
  double low = 0, high = 0;
};

// Wilson's score interval of a proportion: `successes` of `n`, 0 <= successes <= n, n > 0, as
// fractions in [0, 1]. `successes` may be fractional (an accuracy times n, rounded in storage).
Estimate wilson(double successes, double n);

// a - b with an interval computed from the two intervals (Newcombe's method 10 if both are
// Wilson's; Zou and Donner's MOVER otherwise). Assumes that a and b are independent: if the same
// images make both right or wrong together, the interval is too wide, never too narrow.
//   low  = d - sqrt((a - a.low)² + (b.high - b)²),  high = d + sqrt((a.high - a)² + (b - b.low)²)
Estimate difference(const Estimate& a, const Estimate& b);

// Agreement of two models on the same images: how many both got right, only one, none.
struct Agreement {
  int64_t both = 0, only_a = 0, only_b = 0, neither = 0;
  int64_t n() const { return both + only_a + only_b + neither; }
};
// `a` and `b`: for each image 1 if right, 0 if wrong; of equal length.
Agreement agreement(std::span<const uint8_t> a, std::span<const uint8_t> b);

// McNemar's exact test, two-sided: the probability, if both models were equally good, of a split of
// the discordant images (only one model right) at least this uneven. 1 if there are none. Each
// discordant image is a fair coin:
// p = min(1, 2 P(X <= min(only_a, only_b))), X ~ Bin(only_a + only_b, ½).
double mcnemar(const Agreement& counts);

// The difference of the two proportions of right answers, a - b, as fractions, with Newcombe's
// interval for paired proportions (1998, method 10 for pairs): Wilson's intervals combined with the
// correlation φ of the answers,
//   low = d - sqrt(l_a² - 2 φ l_a u_b + u_b²),  high = d + sqrt(u_a² - 2 φ u_a l_b + l_b²),
// with l and u the distances of the limits from the proportions. n > 0.
Estimate paired_difference(const Agreement& counts);

// Mean with Student's t interval; at least two values.
Estimate mean_interval(std::span<const double> values);
// Student's t test of the mean being 0, two-sided; at least two values.
double t_test(std::span<const double> values);

double mean(std::span<const double> values);                // at least one value
double standard_deviation(std::span<const double> values);  // divides by n - 1; at least two values

}  // namespace remixer::reports
