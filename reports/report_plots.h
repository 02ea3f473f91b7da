// SPDX-License-Identifier: Apache-2.0
// The plots of a report, each as an SVG of its own.
#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

namespace remixer::reports {

struct NamedPlot {
  std::string name;     // its file's: "table1_gains"
  std::string heading;  // "Accuracy against BG-Gap"
  std::string note;     // how to read it
  std::string svg;
};

// Accuracy against BG-Gap, the gains of each table with gains as a forest plot, κ by layer, and the
// learning curves; those for which the report has figures.
std::vector<NamedPlot> report_plots(const Report& report);

// One cell's training loss; empty where it recorded none.
std::string curve_svg(const CellDetails& cell);

}  // namespace remixer::reports
