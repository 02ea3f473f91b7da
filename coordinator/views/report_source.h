// SPDX-License-Identifier: Apache-2.0
// Source of the dashboard's tables and pictures. Whoever starts a daemon provides it, since reports
// are a layer above the daemon.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/json.h"

namespace remixer::coordinator {

// All are thread-safe and answer within about a second; `grid` is the number of a submit. An
// exception becomes an error answer. Empty: this daemon shows no reports.
struct ReportSource {
  // The tables as in reports/shown_report.h; `paper`: with the paper's numbers.
  std::function<Json(int64_t grid, bool paper)> tables;
  // {"drawing", "pictures", "left_out"}; while pictures are being drawn, the previous ones.
  std::function<Json(int64_t grid)> pictures;
  // The whole report as one HTML page, with the pictures drawn so far.
  std::function<std::string(int64_t grid)> page;
};

}  // namespace remixer::coordinator
