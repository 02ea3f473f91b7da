#include "reports/statistics.h"

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
  // At 0 and n the limits are exact; rounding must not push them past the value.
  return {p, std::min(p, std::max(0.0, centre - half)), std::max(p, std::min(1.0, centre + half))};
}

Estimate difference(const Estimate& a, const Estimate& b) {
  const double d = a.value - b.value;
  return {d, d - std::hypot(a.value - a.low, b.high - b.value),
          d + std::hypot(a.high - a.value, b.value - b.low)};
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
