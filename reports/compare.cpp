// SPDX-License-Identifier: Apache-2.0
#include "reports/compare.h"

#include <cmath>

#include "reports/format.h"

namespace remixer::reports {

namespace {

bool holds_nothing(const Estimate& estimate) {
  return estimate.low <= 0 && estimate.high >= 0;
}

// From two files on the same images.
std::optional<Agreement> read_agreement(const std::string& a, const std::string& b,
                                        const std::string& weights, const ReadCorrect& read) {
  if (!read || a.empty() || b.empty()) return std::nullopt;
  const auto right_a = read(a, weights);
  if (!right_a) return std::nullopt;
  const auto right_b = read(b, weights);
  if (!right_b || right_a->size() != right_b->size() || right_a->empty()) return std::nullopt;
  return agreement(*right_a, *right_b);
}

void set_interval(Gain& gain, const Estimate& fraction) {
  gain.low = 100 * fraction.low;
  gain.high = 100 * fraction.high;
}

// Compares the stored predictions; false if they are not available.
bool compare_paired(const Part& a, const Part& b, const std::string& weights,
                    const ReadCorrect& read, Gain& gain) {
  if (a.dataset != b.dataset || a.minus_task.empty() != b.minus_task.empty()) return false;
  const auto counts = read_agreement(a.predictions, b.predictions, weights, read);
  if (!counts) return false;
  if (a.minus_task.empty()) {
    set_interval(gain, paired_difference(*counts));
    gain.p = mcnemar(*counts);
    gain.within_noise = *gain.p >= 0.05;
  } else {
    const auto minus = read_agreement(a.minus_predictions, b.minus_predictions, weights, read);
    if (!minus) return false;
    set_interval(gain, difference(paired_difference(*counts), paired_difference(*minus)));
    gain.within_noise = holds_nothing(gain);
  }
  gain.basis = Basis::kPaired;
  return true;
}

bool compare_seeds(const Figure& a, const Figure& b, Gain& gain) {
  std::vector<double> differences;
  for (const Part& x : a.parts) {
    for (const Part& y : b.parts) {
      if (x.seed == y.seed) differences.push_back(x.value - y.value);
    }
  }
  if (differences.size() < 2) return false;
  static_cast<Estimate&>(gain) = mean_interval(differences);
  gain.pairs = static_cast<int>(differences.size());
  gain.p = t_test(differences);
  gain.within_noise = *gain.p >= 0.05;
  gain.basis = Basis::kSeedPairs;
  const bool all = differences.size() == a.parts.size() && differences.size() == b.parts.size();
  if (!all) gain.printed = gain.value;
  return true;
}

}  // namespace

Gain compare(const Figure& a, const Figure& b, const std::string& weights, int decimals,
             const ReadCorrect& read) {
  Gain gain;
  static_cast<Estimate&>(gain) = difference(*a.value, *b.value);
  gain.printed = rounded(a.value->value, decimals) - rounded(b.value->value, decimals);
  gain.within_noise = holds_nothing(gain);
  if (compare_seeds(a, b, gain)) return gain;
  if (a.parts.size() == 1 && b.parts.size() == 1) {
    compare_paired(a.parts.front(), b.parts.front(), weights, read, gain);
  }
  return gain;
}

}  // namespace remixer::reports
