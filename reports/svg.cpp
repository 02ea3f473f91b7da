// SPDX-License-Identifier: Apache-2.0
#include "reports/svg.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "reports/html_figure.h"

namespace remixer::reports {

namespace {

std::string polygon(double x, double y, const std::vector<std::pair<double, double>>& corners,
                    const std::string& style) {
  std::string points;
  for (const auto& [dx, dy] : corners) {
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", x + dx, y + dy);
  }
  return fmt::format("<polygon points=\"{}\" {}/>\n", points, style);
}

}  // namespace

std::vector<double> Ticks::values() const {
  std::vector<double> all;
  const auto count = std::lround((high - low) / step);
  for (long i = 0; i <= count; ++i) all.push_back(low + static_cast<double>(i) * step);
  return all;
}

std::string Ticks::text(double value) const {
  const std::string digits = fmt::format("{:.{}f}", std::abs(value), decimals);
  const bool zero = digits.find_first_not_of("0.") == std::string::npos;
  return (value < 0 && !zero ? "−" : "") + digits;
}

Ticks make_ticks(double low, double high, int count) {
  if (!(high > low)) {
    const double room = std::max(1e-3, std::abs(low) * 0.1);
    low -= room;
    high += room;
  }
  const double rough = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double candidate : {1.0, 2.0, 2.5, 5.0}) {
    if (candidate * power < rough) continue;
    step = candidate * power;
    break;
  }
  Ticks ticks;
  ticks.step = step;
  ticks.low = std::floor(low / step + 1e-9) * step;
  ticks.high = std::ceil(high / step - 1e-9) * step;
  while (ticks.decimals < 6 && std::abs(std::round(step * std::pow(10.0, ticks.decimals)) -
                                        step * std::pow(10.0, ticks.decimals)) > 1e-6) {
    ++ticks.decimals;
  }
  return ticks;
}

std::string svg_text(double x, double y, const char* anchor, const std::string& content, int size,
                     bool bold) {
  return fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" font-size=\"{}\"{}>{}</text>\n", x, y,
      anchor, size, bold ? " font-weight=\"600\"" : "", html_escape(content));
}

std::string svg_line(double x1, double y1, double x2, double y2, const std::string& colour,
                     double width, const std::string& dash) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
      "stroke-width=\"{:.1f}\"{}/>\n",
      x1, y1, x2, y2, colour, width,
      dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dash));
}

std::string svg_mark(size_t i, double x, double y, const std::string& colour, bool hollow) {
  const std::string style = fmt::format("fill=\"{}\" stroke=\"{}\" stroke-width=\"1.8\"",
                                        hollow ? "none" : colour, colour);
  switch (i % 7) {
    case 0:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" {}/>\n", x, y, style);
    case 1:
      return polygon(x, y, {{-3.6, -3.6}, {3.6, -3.6}, {3.6, 3.6}, {-3.6, 3.6}}, style);
    case 2:
      return polygon(x, y, {{0, -4.8}, {4.4, 3.4}, {-4.4, 3.4}}, style);
    case 3:
      return polygon(x, y, {{0, -5}, {5, 0}, {0, 5}, {-5, 0}}, style);
    case 4:
      return polygon(x, y, {{0, 4.8}, {4.4, -3.4}, {-4.4, -3.4}}, style);
    case 5:
      return svg_line(x - 4, y - 4, x + 4, y + 4, colour, 2.2) +
             svg_line(x - 4, y + 4, x + 4, y - 4, colour, 2.2);
    default:
      return svg_line(x - 5, y, x + 5, y, colour, 2.2) + svg_line(x, y - 5, x, y + 5, colour, 2.2);
  }
}

// Okabe and Ito's colours, which everyone can tell apart, on white and on dark, and a grey.
const char* series_colour(size_t i) {
  constexpr std::array<const char*, 8> kColours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                "#b08c00", "#56a4d9", "#e69f00", "#808890"};
  return kColours[i % kColours.size()];
}

const char* series_dash(size_t i) {
  constexpr std::array<const char*, 5> kDashes{"", "6 3", "2 3", "8 3 2 3", "12 4"};
  return kDashes[i % kDashes.size()];
}

std::string svg_document(double width, double height, const std::string& title,
                         const std::string& content) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
      "aria-label=\"{}\" font-family=\"system-ui, sans-serif\" fill=\"currentColor\">\n"
      "<title>{}</title>\n{}</svg>\n",
      width, height, html_escape(title), html_escape(title), content);
}

}  // namespace remixer::reports
