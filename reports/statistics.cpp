// SPDX-License-Identifier: Apache-2.0
#include "reports/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <numeric>

namespace remixer::reports {

namespace {
constexpr double kNormalQuantile = 1.959963984540054;  // 97.5 %
}

Estimate wilson(double successes, double n) {
  assert(n > 0 && successes >= 0 && successes <= n);
  const double z2 = kNormalQuantile * kNormalQuantile;
  const double p = successes / n;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half =
      kNormalQuantile / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  // At 0 and n the limits are exact; rounding must not move them past the value.
  return {p, std::min(p, std::max(0.0, centre - half)), std::max(p, std::min(1.0, centre + half))};
}

Estimate difference(const Estimate& a, const Estimate& b) {
  const double d = a.value - b.value;
  return {d, d - std::hypot(a.value - a.low, b.high - b.value),
          d + std::hypot(a.high - a.value, b.value - b.low)};
}

Agreement agreement(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  assert(a.size() == b.size());
  Agreement counts;
  for (size_t i = 0; i < a.size(); ++i) {
    ++(a[i] ? b[i] ? counts.both : counts.only_a : b[i] ? counts.only_b : counts.neither);
  }
  return counts;
}

double mcnemar(const Agreement& counts) {
  const double discordant = static_cast<double>(counts.only_a + counts.only_b);
  if (discordant == 0) return 1;
  const double fewer = static_cast<double>(std::min(counts.only_a, counts.only_b));
  return std::min(1.0, 2 * boost::math::cdf(boost::math::binomial(discordant, 0.5), fewer));
}

namespace {

// φ with Newcombe's continuity correction, without which the interval would be too narrow.
double correlation(const Agreement& c) {
  const double a = static_cast<double>(c.both), b = static_cast<double>(c.only_a);
  const double e = static_cast<double>(c.only_b), f = static_cast<double>(c.neither);
  const double product = (a + b) * (e + f) * (a + e) * (b + f);
  if (product == 0) return 0;
  double determinant = a * f - b * e;
  if (determinant > 0) determinant = std::max(0.0, determinant - static_cast<double>(c.n()) / 2);
  return determinant / std::sqrt(product);
}

}  // namespace

Estimate paired_difference(const Agreement& counts) {
  const double n = static_cast<double>(counts.n());
  const Estimate a = wilson(static_cast<double>(counts.both + counts.only_a), n);
  const Estimate b = wilson(static_cast<double>(counts.both + counts.only_b), n);
  const double phi = correlation(counts);
  const double la = a.value - a.low, ua = a.high - a.value;
  const double lb = b.value - b.low, ub = b.high - b.value;
  const double d = static_cast<double>(counts.only_a - counts.only_b) / n;
  const auto reach = [&](double x, double y) {
    return std::sqrt(std::max(0.0, x * x - 2 * phi * x * y + y * y));
  };
  return {d, d - reach(la, ub), d + reach(ua, lb)};
}

double t_test(std::span<const double> values) {
  const double deviation = standard_deviation(values);
  const double centre = mean(values);
  if (deviation == 0) return centre == 0 ? 1 : 0;
  const double n = static_cast<double>(values.size());
  const double t = std::abs(centre) / (deviation / std::sqrt(n));
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(n - 1), t));
}

double mean(std::span<const double> values) {
  assert(!values.empty());
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  assert(values.size() >= 2);
  const double centre = mean(values);
  double sum = 0;
  for (double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

Estimate mean_interval(std::span<const double> values) {
  const double centre = mean(values);
  const double n = static_cast<double>(values.size());
  const double t = boost::math::quantile(boost::math::students_t(n - 1), 0.975);
  const double half = t * standard_deviation(values) / std::sqrt(n);
  return {centre, centre - half, centre + half};
}

}  // namespace remixer::reports
