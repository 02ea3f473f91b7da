// Intervals for accuracies and their differences. All at 95 %.
#pragma once

#include <span>

namespace remixer::reports {

// A value with its 95 % interval, in whatever unit the caller uses.
struct Estimate {
  double value = 0;
  double low = 0, high = 0;
};

// Wilson's score interval of a proportion: `successes` of `n`, 0 <= successes <= n, n > 0, as
// fractions in [0, 1]. `successes` need not be whole (an accuracy times n, rounded in storage).
Estimate wilson(double successes, double n);

// a - b with an interval recovered from the two intervals (Newcombe's method 10 where both are
// Wilson's; Zou and Donner's MOVER otherwise). Takes a and b as independent, which is too wide,
// never too narrow, where the same images make both right or wrong together.
//   low  = d - sqrt((a - a.low)² + (b.high - b)²),  high = d + sqrt((a.high - a)² + (b - b.low)²)
Estimate difference(const Estimate& a, const Estimate& b);

// Mean with Student's t interval; at least two values.
Estimate mean_interval(std::span<const double> values);

double mean(std::span<const double> values);                // at least one value
double standard_deviation(std::span<const double> values);  // n - 1 below; at least two values

}  // namespace remixer::reports
