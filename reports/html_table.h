// One table as a section of the page.
#pragma once

#include <string>

#include "reports/table.h"

namespace remixer::reports {

// Heading, caption, table, notes, and the 95 % intervals, which a box unfolds and print always
// shows.
std::string table_section(const Table& table);

}  // namespace remixer::reports
