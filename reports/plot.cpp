// SPDX-License-Identifier: Apache-2.0
#include "reports/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/svg.h"

namespace remixer::reports {

namespace {

// In the drawing's own pixels: as wide as a phone, so that its text is not scaled down there.
constexpr double kPlotWidth = 400, kPlotLeft = 52, kPlotRight = 390, kPlotTop = 24,
                 kPlotHeight = 230;
constexpr double kLegendLine = 19;
constexpr const char* kGrid = "#9aa4ae66";

struct ValueRange {
  double low = INFINITY, high = -INFINITY;
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void add(const std::optional<double>& value) {
    if (value) add(*value);
  }
  Ticks ticks(int count) const {
    return std::isfinite(low) ? make_ticks(low, high, count) : make_ticks(0, 1, count);
  }
};

// Number of characters in UTF-8 text.
size_t letters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool finite(const PlotPoint& point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot) : plot_(plot) {
    ValueRange x, y;
    for (const PlotSeries& series : plot.series) {
      for (const PlotPoint& point : series.points) {
        if (!finite(point)) continue;
        x.add(point.x);
        x.add(point.x_low);
        x.add(point.x_high);
        y.add(point.y);
        y.add(point.y_low);
        y.add(point.y_high);
      }
    }
    if (plot.y_from_zero) y.add(0.0);
    x_ = x.ticks(5);
    y_ = y.ticks(5);
  }

  std::string draw() const {
    std::string svg = axes();
    for (size_t i = 0; i < plot_.series.size(); ++i) svg += series(i);
    const double legend = kPlotTop + kPlotHeight + 46;
    for (size_t i = 0; i < plot_.series.size(); ++i)
      svg += legend_line(i, legend + kLegendLine * static_cast<double>(i));
    const double height = legend + kLegendLine * static_cast<double>(plot_.series.size());
    return svg_document(kPlotWidth, height, plot_.title, svg);
  }

 private:
  double x(double value) const {
    return kPlotLeft + (value - x_.low) / (x_.high - x_.low) * (kPlotRight - kPlotLeft);
  }
  double y(double value) const {
    return kPlotTop + kPlotHeight - (value - y_.low) / (y_.high - y_.low) * kPlotHeight;
  }

  std::string axes() const {
    std::string svg;
    for (const double tick : y_.values()) {
      svg += svg_line(kPlotLeft, y(tick), kPlotRight, y(tick), kGrid);
      svg += svg_text(kPlotLeft - 6, y(tick) + 4, "end", y_.text(tick), 11);
    }
    for (const double tick : x_.values()) {
      svg += svg_line(x(tick), kPlotTop, x(tick), kPlotTop + kPlotHeight, kGrid);
      svg += svg_text(x(tick), kPlotTop + kPlotHeight + 15, "middle", x_.text(tick), 11);
    }
    svg += svg_text((kPlotLeft + kPlotRight) / 2, kPlotTop + kPlotHeight + 31, "middle",
                    plot_.x_label);
    return svg + svg_text(4, 13, "start", plot_.y_label);
  }

  std::string series(size_t i) const {
    const PlotSeries& series = plot_.series[i];
    const std::string colour = series_colour(i);
    std::string path, marks;
    for (const PlotPoint& point : series.points) {
      if (!finite(point)) continue;
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x(point.x), y(point.y));
      if (point.x_low && point.x_high)
        marks += svg_line(x(*point.x_low), y(point.y), x(*point.x_high), y(point.y), colour);
      if (point.y_low && point.y_high)
        marks += svg_line(x(point.x), y(*point.y_low), x(point.x), y(*point.y_high), colour);
    }
    // Marks identify the series; on a long line a few are enough.
    const size_t every = plot_.lines ? std::max<size_t>(1, series.points.size() / 8) : 1;
    const size_t first = plot_.lines ? (i * every / 8) % every : 0;
    for (size_t p = first; p < series.points.size(); p += every) {
      const PlotPoint& point = series.points[p];
      if (finite(point)) marks += svg_mark(i, x(point.x), y(point.y), colour, series.hollow);
    }
    std::string svg = "<g>";
    if (plot_.lines && !path.empty()) {
      const std::string dash = series_dash(i);
      svg +=
          fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"{}/>\n", path,
                      colour, dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dash));
    }
    return svg + marks + "</g>\n";
  }

  std::string legend_line(size_t i, double y) const {
    const PlotSeries& series = plot_.series[i];
    std::string svg;
    if (plot_.lines) svg += svg_line(6, y - 4, 40, y - 4, series_colour(i), 1.8, series_dash(i));
    svg += svg_mark(i, 23, y - 4, series_colour(i), series.hollow);
    return svg + svg_text(kPlotLeft, y, "start", series.name);
  }

  const Plot& plot_;
  Ticks x_, y_;
};

}  // namespace

std::string plot_svg(const Plot& plot) {
  return Drawing(plot).draw();
}

std::string forest_svg(const std::string& title, const std::vector<ForestLine>& lines) {
  constexpr double kNames = 168, kValues = 344, kLine = 19, kBarLine = 15, kFirst = 34;
  // Names that do not fit beside their bars are placed above them.
  constexpr size_t kLettersBeside = 25;
  const bool above = std::any_of(lines.begin(), lines.end(), [](const ForestLine& line) {
    return !line.heading && letters(line.name) > kLettersBeside;
  });
  const double left = above ? 8 : kNames;
  ValueRange range;
  range.add(0.0);
  for (const ForestLine& line : lines) {
    if (line.heading) continue;
    range.add(line.low);
    range.add(line.high);
  }
  const Ticks ticks = range.ticks(4);
  const auto x = [&](double value) {
    return left + (value - ticks.low) / (ticks.high - ticks.low) * (kValues - left);
  };
  double bottom = kFirst;
  for (const ForestLine& line : lines) bottom += kLine + (above && !line.heading ? kBarLine : 0);
  std::string svg;
  for (const double tick : ticks.values()) {
    const bool zero = std::abs(tick) < ticks.step / 2;
    svg +=
        svg_line(x(tick), 20, x(tick), bottom - 8, zero ? "currentColor" : kGrid, zero ? 1.2 : 1);
    svg += svg_text(x(tick), 13, "middle", ticks.text(tick), 11);
  }
  double y = kFirst;
  for (const ForestLine& line : lines) {
    if (line.heading) {
      svg += svg_text(0, y + 4, "start", line.name, 12, true);
    } else {
      // Colour, mark and text give the same information.
      const size_t look = line.within_noise ? 7 : 0;
      svg += svg_text(8, y + 4, "start", line.name);
      if (above) y += kBarLine;
      svg += svg_line(x(line.low), y, x(line.high), y, series_colour(look), 1.8,
                      line.within_noise ? "3 2" : "");
      svg += svg_mark(line.within_noise ? 3 : 0, x(line.value), y, series_colour(look),
                      line.within_noise);
      const std::string sign = line.value < 0 ? "−" : "+";
      svg += svg_text(
          kPlotWidth, y + 4, "end",
          fmt::format("{}{:.2f}{}", sign, std::abs(line.value), line.within_noise ? "~" : ""), 11);
    }
    y += kLine;
  }
  const double legend = bottom + 8;
  svg += svg_mark(0, 12, legend - 4, series_colour(0), false);
  svg += svg_text(24, legend, "start", "outside noise", 11);
  svg += svg_mark(3, 132, legend - 4, series_colour(7), true);
  svg += svg_text(144, legend, "start", "~ within noise", 11);
  svg += svg_text(kPlotWidth, legend, "end", "gain, 95 % interval", 11);
  return svg_document(kPlotWidth, legend + 8, title, svg);
}

}  // namespace remixer::reports
