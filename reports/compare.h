// SPDX-License-Identifier: Apache-2.0
// Compares two figures: tests whether their difference exceeds noise.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reports/table.h"

namespace remixer::reports {

// Reads a file of stored predictions below the workspace, for one kind of weights: for each image 1
// if the most likely class is right, else 0. Empty if not available.
using ReadCorrect = std::function<std::optional<std::vector<uint8_t>>(const std::string& file,
                                                                      const std::string& weights)>;

// Computes a - b; both must have values. With one seed each and predictions of the same images:
// McNemar's exact test on the pairs; for a difference of two sets (BG-Gap), whose images differ,
// the interval combines the sets' paired intervals. With two or more seeds in common: Student's t
// over the seed pairs. Otherwise from the figures' own intervals.
Gain compare(const Figure& a, const Figure& b, const std::string& weights, int decimals,
             const ReadCorrect& read);

}  // namespace remixer::reports
