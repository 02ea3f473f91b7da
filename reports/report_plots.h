// SPDX-License-Identifier: Apache-2.0
// Draws the plots of a report, each as a separate SVG.
#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

namespace remixer::reports {

struct NamedPlot {
  std::string name;     // of its file: "table1_gains"
  std::string heading;  // "Accuracy against BG-Gap"
  std::string note;     // how to read it
  std::string svg;
};

// Accuracy against BG-Gap, each table's gains as a forest plot, κ by layer, and the learning
// curves, as far as the report has figures for them.
std::vector<NamedPlot> report_plots(const Report& report);

// One cell's training loss; empty if none was recorded.
std::string curve_svg(const CellDetails& cell);

}  // namespace remixer::reports
