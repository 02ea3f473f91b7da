// SPDX-License-Identifier: Apache-2.0
// SVG building blocks. Numbers have one decimal, so that the same drawing has the same bytes.
#pragma once

#include <string>
#include <vector>

namespace remixer::reports {

// Ticks at multiples of 1, 2, 2.5 or 5 times a power of ten, about `count` of them, from at most
// `low` to at least `high`.
struct Ticks {
  double low = 0, high = 1, step = 1;
  int decimals = 0;
  std::vector<double> values() const;
  std::string text(double value) const;
};
Ticks make_ticks(double low, double high, int count = 5);

std::string svg_text(double x, double y, const char* anchor, const std::string& content,
                     int size = 12, bool bold = false);
std::string svg_line(double x1, double y1, double x2, double y2, const std::string& colour,
                     double width = 1, const std::string& dash = "");
// Mark number i of 7 shapes, centred at x, y.
std::string svg_mark(size_t i, double x, double y, const std::string& colour, bool hollow);

// For series i: no two of the first 280 share colour, mark and dash.
const char* series_colour(size_t i);
const char* series_dash(size_t i);

// The <svg> element around `content`.
std::string svg_document(double width, double height, const std::string& title,
                         const std::string& content);

}  // namespace remixer::reports
