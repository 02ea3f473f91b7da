// SPDX-License-Identifier: Apache-2.0
// A small drawing of points and lines as SVG: the same bytes for the same values, readable at a
// phone's width, each series in a colour, a mark and a dash of its own, all of them in the legend.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace remixer::reports {

struct PlotPoint {
  double x = 0, y = 0;
  // Ends of intervals, where there are any.
  std::optional<double> x_low{}, x_high{}, y_low{}, y_high{};
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;
  bool hollow = false;  // its marks are outlines
};

struct Plot {
  std::string title;  // what is read out for those who cannot see it
  std::string x_label, y_label;
  bool lines = true;  // points of a series are joined
  bool y_from_zero = false;
  std::vector<PlotSeries> series;
};

// A line of a forest plot: a difference with its interval, or, without one, a heading.
struct ForestLine {
  std::string name;
  bool heading = false;
  double value = 0, low = 0, high = 0;
  bool within_noise = false;
};

// An <svg> element, complete as a file of its own. Points that are not finite are left out.
std::string plot_svg(const Plot& plot);
std::string forest_svg(const std::string& title, const std::vector<ForestLine>& lines);

}  // namespace remixer::reports
