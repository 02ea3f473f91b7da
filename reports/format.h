// SPDX-License-Identifier: Apache-2.0
// How figures are written for people, the same in every form of a table.
#pragma once

#include <string>

#include "reports/table.h"

namespace remixer::reports {

// Half away from zero, of the decimal number that was meant: 21.085 is 21.09.
double rounded(double value, int decimals);
std::string number_text(double value, int decimals = 2);  // "68.40"; "−3.20" where negative
std::string signed_text(double value, int decimals = 2);  // "+4.20", "−5.50"
// "68.40", "68.40 ± 0.52", "–" where missing; no gain.
std::string value_text(const Figure& figure, int decimals = 2);
// What says that a best figure or a gain cannot be told from noise.
inline constexpr const char* kNoiseMark = "~";
// "(+4.20)", with kNoiseMark behind where it is within noise, or empty.
std::string gain_text(const Figure& figure, int decimals = 2);
// The paper's figure and how far ours is from it: "82.69 (Δ −0.31)", or empty.
std::string paper_text(const Figure& figure, int decimals = 2);
// The figure's basis in one line: "95 %: 65.45 to 71.20; n = 1000; gain +4.20, 95 %: +0.1 to +8.3
// (paired, p = 0.021)", or why it is missing.
std::string detail_text(const Figure& figure, int decimals = 2);
// The labels with a dagger where test-time boxes were used; "–" without labels.
std::string labels_text(const Row& row);
// The row's name as tables print it: with the labels where they have no column, and a double dagger
// where the paper lacks the row.
std::string name_text(const Table& table, const Row& row);

}  // namespace remixer::reports
