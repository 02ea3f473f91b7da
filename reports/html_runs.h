// SPDX-License-Identifier: Apache-2.0
// Lists the runs behind a report's numbers, for the HTML page.
#pragma once

#include <string>

#include "reports/report.h"

namespace remixer::reports {

// Link target of a number: the id of its first cell's entry.
std::string cell_anchor(const std::string& cell_id);

// Every cell with its spec, seed, and runs: commit, host, device, times, files. Empty if the report
// has no details.
std::string runs_section(const Report& report);

// The report's plots, each with a note on how to read it.
std::string plots_section(const Report& report);

// Table 4's pictures.
std::string pictures_section(const Report& report);

}  // namespace remixer::reports
