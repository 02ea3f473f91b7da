// SPDX-License-Identifier: Apache-2.0
// Where the dashboard's tables and pictures come from: whoever starts a daemon gives it these,
// since reports stand above the daemon.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/json.h"

namespace remixer::coordinator {

// All are thread-safe and answer in a second or so; `grid` is the number of a submit. What they
// throw becomes the answer's error. Empty: this daemon shows no reports.
struct ReportSource {
  // The tables as reports/shown_report.h says; `paper`: with the paper's numbers.
  std::function<Json(int64_t grid, bool paper)> tables;
  // {"drawing", "pictures", "left_out"}: while they are being drawn, those from before.
  std::function<Json(int64_t grid)> pictures;
  // The whole report as one HTML page, with the pictures that are drawn.
  std::function<std::string(int64_t grid)> page;
};

}  // namespace remixer::coordinator
