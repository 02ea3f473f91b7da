// SPDX-License-Identifier: Apache-2.0
// Notes below a table: what its figures are based on and what is missing.
#pragma once

#include <string>
#include <vector>

#include "reports/table.h"

namespace remixer::reports {

// How many of a table's gains there are, and how many of them are outside noise.
struct GainCount {
  int all = 0, outside = 0;
};
GainCount count_gains(const Table& table);

// From a table whose rows are filled.
std::vector<std::string> make_notes(const Table& table, Bold bold);

}  // namespace remixer::reports
