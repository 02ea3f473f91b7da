// How figures are written for people, the same in every form of a table.
#pragma once

#include <string>

#include "reports/table.h"

namespace remixer::reports {

std::string percent_text(double value);  // "68.40"; "−3.20" where negative
std::string signed_text(double value);   // "+4.20", "−5.50"
// "68.40", "68.40 ± 0.52", "–" where missing; no gain.
std::string value_text(const Figure& figure);
// "(+4.20)", or empty.
std::string gain_text(const Figure& figure);
// The figure's basis in one line: "95 %: 65.45 to 71.20, n = 1000; gain 95 %: +0.1 to +8.3", or why
// it is missing.
std::string detail_text(const Figure& figure);
// The labels with a dagger where test-time boxes were used.
std::string labels_text(const Row& row);

}  // namespace remixer::reports
