// SPDX-License-Identifier: Apache-2.0
// Compares two figures: is the difference outside noise?
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reports/table.h"

namespace remixer::reports {

// Of a file of stored predictions below the workspace, under a kind of weights: for each image 1
// where the likeliest class is right, else 0. Empty where it is not to be had.
using ReadCorrect = std::function<std::optional<std::vector<uint8_t>>(const std::string& file,
                                                                      const std::string& weights)>;

// a - b. Both have values. With one seed each, and predictions of the same images, paired: the test
// is McNemar's exact one; of a difference of two sets (BG-Gap), whose images are not the same, the
// interval joins the sets' paired ones. With two or more seeds in common, Student's t over the
// pairs. Else from the figures' own intervals.
Gain compare(const Figure& a, const Figure& b, const std::string& weights, int decimals,
             const ReadCorrect& read);

}  // namespace remixer::reports
