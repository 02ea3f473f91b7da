// SPDX-License-Identifier: Apache-2.0
// Writes the notes below a table: what its figures are based on and what is missing.
#pragma once

#include <string>
#include <vector>

#include "reports/table.h"

namespace remixer::reports {

// Number of a table's gains, and how many of them exceed noise.
struct GainCount {
  int all = 0, outside = 0;
};
GainCount count_gains(const Table& table);

// From a table whose rows are filled.
std::vector<std::string> make_notes(const Table& table, Bold bold);

}  // namespace remixer::reports
