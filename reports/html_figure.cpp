// SPDX-License-Identifier: Apache-2.0
#include "reports/html_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/format.h"

namespace remixer::reports {

namespace {

// In the drawing's own pixel coordinates.
constexpr double kWidth = 460, kLeft = 214, kRight = 404, kLine = 21, kTop = 24, kBlockGap = 7;

struct Scale {
  double low, high, step;
  double x(double value) const { return kLeft + (value - low) / (high - low) * (kRight - kLeft); }
};

// A scale with steps of 1, 2, 5, ... that covers every interval, with about four steps.
Scale make_scale(const Table& table, size_t column) {
  double low = INFINITY, high = -INFINITY;
  for (const Row& row : table.rows) {
    const auto& value = row.figures[column].value;
    if (!value) continue;
    low = std::min(low, value->low);
    high = std::max(high, value->high);
  }
  double step = 1;
  for (double candidate : {1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0}) {
    step = candidate;
    if ((high - low) / candidate <= 5) break;
  }
  low = std::floor(low / step) * step;
  high = std::ceil(high / step) * step;
  return {low, high > low ? high : low + step, step};
}

std::string text(double x, double y, const char* anchor, const char* style,
                 const std::string& content) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n",
                     x, y, anchor, style, html_escape(content));
}

std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2,
      y2, style);
}

std::string axis(const Scale& scale, double bottom) {
  std::string svg;
  for (double tick = scale.low; tick < scale.high + scale.step / 2; tick += scale.step) {
    svg += line(scale.x(tick), kTop - 6, scale.x(tick), bottom, "grid");
    svg += text(scale.x(tick), kTop - 11, "middle", "tick",
                fmt::format("{}{:.0f}", tick < -0.5 ? "−" : "", std::abs(tick)));
  }
  return svg;
}

std::string row_line(const Row& row, const Figure& figure, const Scale& scale, double y) {
  const bool plain = !row.is_remixer;
  const std::string name = plain ? row.model : "+ " + labels_text(row);
  std::string svg = text(plain ? 0 : 10, y + 4, "start", plain ? "model" : "label", name);
  if (!figure.value) {
    return svg + text(kWidth, y + 4, "end", "tick", to_string(figure.missing));
  }
  const char* kind = plain ? "plain" : "remixer";
  svg += fmt::format("<g><title>{}: {}</title>\n", html_escape(name),
                     html_escape(value_text(figure) + ", " + detail_text(figure)));
  svg += line(scale.x(figure.value->low), y, scale.x(figure.value->high), y,
              plain ? "bar-plain" : "bar-remixer");
  svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" class=\"dot-{}\"/></g>\n",
                     scale.x(figure.value->value), y, kind);
  return svg + text(kWidth, y + 4, "end", "value", number_text(figure.value->value));
}

}  // namespace

std::string html_escape(const std::string& text) {
  std::string escaped;
  for (char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string column_figure(const Table& table, size_t column) {
  const bool any = std::any_of(table.rows.begin(), table.rows.end(),
                               [&](const Row& row) { return row.figures[column].value; });
  if (!any) return "";
  const Scale scale = make_scale(table, column);
  std::string rows, bases;
  double y = kTop - kBlockGap + kLine / 2;
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const Row& row = table.rows[r];
    if (row.starts_block) y += kBlockGap;
    // A block without its plain model in the grid is still headed by that model's name.
    if (row.starts_block && row.is_remixer) {
      rows += text(0, y + 4, "start", "model", row.block);
      y += kLine;
    }
    if (row.is_reference && row.figures[column].value) {
      double bottom = y;
      for (size_t s = r + 1; s < table.rows.size() && !table.rows[s].starts_block; ++s) {
        bottom += kLine;
      }
      const double x = scale.x(row.figures[column].value->value);
      bases += line(x, y, x, bottom + kLine / 2, "base");
    }
    rows += row_line(row, row.figures[column], scale, y);
    y += kLine;
  }
  const double bottom = y - kLine / 2 + 4;
  const Column& heading = table.columns[column];
  return fmt::format(
      "<figure><figcaption>{} <span class=\"soft\">(%, {} is better)</span></figcaption>\n"
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{} by model, with 95 % "
      "intervals; "
      "the figures are in the table\">\n{}{}{}</svg></figure>\n",
      html_escape(heading.heading), heading.lower_is_better() ? "lower" : "higher", kWidth,
      bottom + 2, html_escape(heading.heading), axis(scale, bottom), bases, rows);
}

}  // namespace remixer::reports
