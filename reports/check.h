// SPDX-License-Identifier: Apache-2.0
// Implements `remixer report --check`: recomputes all numbers of all tables from the runs' files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "reports/report.h"

namespace remixer::reports {

struct CheckResult {
  // One line each, starting with table, row and column: what does not agree, or why it cannot be
  // recomputed.
  std::vector<std::string> problems;
  std::vector<std::string> remarks;  // figures that were checked against less than a file
  int64_t numbers = 0;               // numbers checked, including gains and intervals
  int64_t tables = 0;
  int64_t predictions = 0, checkpoints = 0;  // files read

  bool passed() const { return problems.empty(); }
};

// Recomputes figures from the stored predictions, and κ from the checkpoints, or from the values
// recorded in training if a checkpoint is not kept. A figure whose predictions are missing is a
// problem. Throws as make_report.
CheckResult check_report(const fs::path& database, const ReportRequest& request = {});

// For a terminal.
std::string check_text(const CheckResult& result);

}  // namespace remixer::reports
