#include <fmt/format.h>

#include <algorithm>

#include "reports/format.h"
#include "reports/report.h"

namespace remixer::reports {

namespace {

constexpr std::string_view kBold = "\x1b[1m", kDim = "\x1b[2m", kPlain = "\x1b[0m";

// Characters on a terminal: code points, all of the ones used here being one cell wide.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string pad(const std::string& text, size_t to, bool right) {
  const std::string spaces(to > width(text) ? to - width(text) : 0, ' ');
  return right ? spaces + text : text + spaces;
}

std::string rule(size_t length) {
  std::string line;
  for (size_t i = 0; i < length; ++i) line += "─";
  return line + "\n";
}

struct Widths {
  size_t value = 0, gain = 0, paper = 0;
  // Two spaces before each part that the column has; the gain follows after one.
  size_t total() const {
    return 2 + value + (gain > 0 ? 1 + gain : 0) + (paper > 0 ? 2 + paper : 0);
  }
};

std::string marked_value(const Figure& figure, bool colour) {
  // Without colour the best bears an asterisk; the others keep its place free.
  return value_text(figure) + (colour ? "" : figure.best ? "*" : " ");
}

std::string row_name(const Row& row) {
  if (row.labels.empty()) return row.model;
  return row.model + " " + labels_text(row);
}

Widths measure(const Table& table, size_t column, bool colour) {
  Widths widths;
  for (const Row& row : table.rows) {
    const Figure& figure = row.figures[column];
    widths.value = std::max(widths.value, width(marked_value(figure, colour)));
    widths.gain = std::max(widths.gain, width(gain_text(figure)));
  }
  if (table.columns[column].has_paper) widths.paper = 5;
  const size_t heading = width(table.columns[column].heading_with_arrow());
  const size_t room = widths.value + (widths.gain > 0 ? 1 + widths.gain : 0);
  if (heading > room) widths.value += heading - room;
  return widths;
}

std::string figure_part(const Figure& figure, const Widths& widths, bool colour) {
  std::string value = pad(marked_value(figure, colour), widths.value, true);
  if (colour && figure.best) value = fmt::format("{}{}{}", kBold, value, kPlain);
  std::string part = "  " + value;
  if (widths.gain > 0) {
    std::string gain = pad(gain_text(figure), widths.gain, false);
    if (colour) gain = fmt::format("{}{}{}", kDim, gain, kPlain);
    part += " " + gain;
  }
  if (widths.paper > 0) {
    part += "  " + pad(figure.paper ? percent_text(*figure.paper) : "", widths.paper, true);
  }
  return part;
}

}  // namespace

std::string table_text(const Table& table, bool colour) {
  size_t name_width = 5;
  for (const Row& row : table.rows) name_width = std::max(name_width, width(row_name(row)));
  std::vector<Widths> widths;
  std::string heading = pad("Model", name_width, false);
  for (size_t c = 0; c < table.columns.size(); ++c) {
    widths.push_back(measure(table, c, colour));
    const Widths& w = widths.back();
    heading += "  " + pad(table.columns[c].heading_with_arrow(),
                          w.value + (w.gain > 0 ? 1 + w.gain : 0), true);
    if (w.paper > 0) heading += "  " + pad("paper", w.paper, true);
  }
  const size_t length = width(heading);
  std::string text =
      colour ? fmt::format("{}{}{}\n", kBold, table.title, kPlain) : table.title + "\n";
  text += rule(length) + heading + "\n";
  for (const Row& row : table.rows) {
    if (row.starts_block) text += rule(length);
    std::string line = pad(row_name(row), name_width, false);
    for (size_t c = 0; c < row.figures.size(); ++c) {
      line += figure_part(row.figures[c], widths[c], colour);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  text += rule(length);
  for (const std::string& note : table.notes) {
    text += colour ? fmt::format("{}{}{}\n", kDim, note, kPlain) : note + "\n";
  }
  return text;
}

}  // namespace remixer::reports
