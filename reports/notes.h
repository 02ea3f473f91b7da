// The lines below a table: what its figures rest on and what is missing.
#pragma once

#include <string>
#include <vector>

#include "reports/table.h"

namespace remixer::reports {

// From a table whose rows are filled.
std::vector<std::string> make_notes(const Table& table);

}  // namespace remixer::reports
