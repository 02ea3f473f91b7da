// SPDX-License-Identifier: Apache-2.0
// Draws points and lines as SVG: the same bytes for the same values, readable at a phone's width,
// each series with its own colour, mark and dash, all of them in the legend.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace remixer::reports {

struct PlotPoint {
  double x = 0, y = 0;
  // Ends of intervals, if there are any.
  std::optional<double> x_low{}, x_high{}, y_low{}, y_high{};
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;
  bool hollow = false;  // draw its marks as outlines
};

struct Plot {
  std::string title;  // for screen readers
  std::string x_label, y_label;
  bool lines = true;  // join a series' points
  bool y_from_zero = false;
  std::vector<PlotSeries> series;
};

// A line of a forest plot: a difference with its interval, or a heading without one.
struct ForestLine {
  std::string name;
  bool heading = false;
  double value = 0, low = 0, high = 0;
  bool within_noise = false;
};

// A complete, stand-alone <svg> element. Points that are not finite are omitted.
std::string plot_svg(const Plot& plot);
std::string forest_svg(const std::string& title, const std::vector<ForestLine>& lines);

}  // namespace remixer::reports
