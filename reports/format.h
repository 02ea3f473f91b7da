// SPDX-License-Identifier: Apache-2.0
// Formats figures for people, the same in every form of a table.
#pragma once

#include <string>

#include "reports/table.h"

namespace remixer::reports {

// Rounds half away from zero, for the decimal number that was meant: 21.085 is 21.09.
double rounded(double value, int decimals);
std::string number_text(double value, int decimals = 2);  // "68.40"; "−3.20" if negative
std::string signed_text(double value, int decimals = 2);  // "+4.20", "−5.50"
// "68.40", "68.40 ± 0.52", "–" if missing; without gain.
std::string value_text(const Figure& figure, int decimals = 2);
// Marks a best figure or a gain that cannot be told from noise.
inline constexpr const char* kNoiseMark = "~";
// "(+4.20)", followed by kNoiseMark if it is within noise; or empty.
std::string gain_text(const Figure& figure, int decimals = 2);
// The paper's figure and our difference from it: "82.69 (Δ −0.31)", or empty.
std::string paper_text(const Figure& figure, int decimals = 2);
// The figure's basis in one line: "95 %: 65.45 to 71.20; n = 1000; gain +4.20, 95 %: +0.1 to +8.3
// (paired, p = 0.021)", or why it is missing.
std::string detail_text(const Figure& figure, int decimals = 2);
// The labels, with a dagger if test-time boxes were used; "–" without labels.
std::string labels_text(const Row& row);
// The row's name as printed in tables: with the labels if they have no column, and a double dagger
// if the paper lacks the row.
std::string name_text(const Table& table, const Row& row);

}  // namespace remixer::reports
