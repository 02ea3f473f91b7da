// SPDX-License-Identifier: Apache-2.0
// Formats one table as a section of the HTML page.
#pragma once

#include <set>
#include <string>

#include "reports/table.h"

namespace remixer::reports {

// Heading, caption, table, notes, and the 95 % intervals, which a checkbox unfolds and print always
// shows. Figures of cells in `known` link to the cells' entries among the runs.
std::string table_section(const Table& table, const std::set<std::string>& known);

}  // namespace remixer::reports
