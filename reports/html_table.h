// SPDX-License-Identifier: Apache-2.0
// One table as a section of the page.
#pragma once

#include <set>
#include <string>

#include "reports/table.h"

namespace remixer::reports {

// Heading, caption, table, notes, and the 95 % intervals, which a box unfolds and print always
// shows. A figure of a cell in `known` leads to the cell's entry among the runs.
std::string table_section(const Table& table, const std::set<std::string>& known);

}  // namespace remixer::reports
