// SPDX-License-Identifier: Apache-2.0
// `remixer report --check`: recomputes every number of every table from the files of the runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "reports/report.h"

namespace remixer::reports {

struct CheckResult {
  // One line each, beginning with the table, the row and the column: what does not agree, or why it
  // cannot be made again.
  std::vector<std::string> problems;
  std::vector<std::string> remarks;  // what was checked against less than a file
  int64_t numbers = 0;               // of the tables, gains and intervals with their figure
  int64_t tables = 0;
  int64_t predictions = 0, checkpoints = 0;  // files that were read

  bool passed() const { return problems.empty(); }
};

// Figures from the stored predictions; κ from the checkpoints or, where one is not kept, from the
// values that training recorded. A figure whose predictions are missing is a problem. Throws as
// make_report.
CheckResult check_report(const fs::path& database, const ReportRequest& request = {});

// For a terminal.
std::string check_text(const CheckResult& result);

}  // namespace remixer::reports
