// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/text_table.h"
#include "reports/format.h"
#include "reports/report.h"

namespace remixer::reports {

namespace {

constexpr std::string_view kBold = "\x1b[1m", kDim = "\x1b[2m", kPlain = "\x1b[0m";

std::string rule(size_t length) {
  std::string line;
  for (size_t i = 0; i < length; ++i) line += "─";
  return line + "\n";
}

struct Widths {
  size_t value = 0, gain = 0, paper = 0;
  // Two spaces before each part of the column; one before the gain.
  size_t total() const {
    return 2 + value + (gain > 0 ? 1 + gain : 0) + (paper > 0 ? 2 + paper : 0);
  }
};

// Which marks (bold, noise) a column has; without marks it reserves no space for them.
struct Marks {
  bool best = false, noise = false;
};

Marks marks_of(const Table& table, size_t column, bool colour) {
  Marks marks;
  for (const Row& row : table.rows) {
    marks.best = marks.best || (row.figures[column].best && !colour);
    marks.noise = marks.noise || row.figures[column].best_within_noise;
  }
  return marks;
}

// Without colour, an asterisk marks the best.
std::string marked_value(const Table& table, const Figure& figure, const Marks& marks) {
  std::string text = value_text(figure, table.decimals);
  if (marks.best) text += figure.best ? "*" : " ";
  if (marks.noise) text += figure.best_within_noise ? kNoiseMark : " ";
  return text;
}

Widths measure(const Table& table, size_t column, const Marks& marks) {
  Widths widths;
  for (const Row& row : table.rows) {
    const Figure& figure = row.figures[column];
    widths.value = std::max(widths.value, display_width(marked_value(table, figure, marks)));
    widths.gain = std::max(widths.gain, display_width(gain_text(figure, table.decimals)));
    if (table.columns[column].has_paper) {
      const size_t paper = display_width(paper_text(figure, table.decimals));
      widths.paper = std::max({widths.paper, size_t{5}, paper});
    }
  }
  const size_t heading = display_width(table.columns[column].heading_with_arrow());
  const size_t room = widths.value + (widths.gain > 0 ? 1 + widths.gain : 0);
  if (heading > room) widths.value += heading - room;
  return widths;
}

std::string figure_part(const Table& table, const Figure& figure, const Widths& widths,
                        const Marks& marks, bool colour) {
  std::string value = padded(marked_value(table, figure, marks), widths.value, Align::kRight);
  if (colour && figure.best) value = fmt::format("{}{}{}", kBold, value, kPlain);
  std::string part = "  " + value;
  if (widths.gain > 0) {
    std::string gain = padded(gain_text(figure, table.decimals), widths.gain);
    if (colour) gain = fmt::format("{}{}{}", kDim, gain, kPlain);
    part += " " + gain;
  }
  if (widths.paper > 0) {
    part += "  " + padded(paper_text(figure, table.decimals), widths.paper);
  }
  return part;
}

// Blocks of a single row need no rules between them.
bool has_larger_blocks(const Table& table) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [](const Row& row) { return !row.starts_block; });
}

}  // namespace

std::string table_text(const Table& table, bool colour) {
  size_t name_width = 5, labels_width = table.labeler_column ? 13 : 0;
  for (const Row& row : table.rows) {
    name_width = std::max(name_width, display_width(name_text(table, row)));
    if (table.labeler_column)
      labels_width = std::max(labels_width, display_width(labels_text(row)));
  }
  std::vector<Widths> widths;
  std::vector<Marks> marks;
  std::string heading = padded("Model", name_width);
  if (labels_width > 0) heading += "  " + padded("Patch labeler", labels_width);
  for (size_t c = 0; c < table.columns.size(); ++c) {
    marks.push_back(marks_of(table, c, colour));
    widths.push_back(measure(table, c, marks.back()));
    const Widths& w = widths.back();
    heading += "  " + padded(table.columns[c].heading_with_arrow(),
                             w.value + (w.gain > 0 ? 1 + w.gain : 0), Align::kRight);
    if (w.paper > 0) heading += "  " + padded("Paper", w.paper);
  }
  heading = heading.substr(0, heading.find_last_not_of(' ') + 1);
  const size_t length = display_width(heading);
  std::string text =
      colour ? fmt::format("{}{}{}\n", kBold, table.title, kPlain) : table.title + "\n";
  text += rule(length) + heading + "\n";
  const bool rules = has_larger_blocks(table);
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const Row& row = table.rows[r];
    if (r == 0 || (row.starts_block && rules)) text += rule(length);
    std::string line = padded(name_text(table, row), name_width);
    if (labels_width > 0) line += "  " + padded(labels_text(row), labels_width);
    for (size_t c = 0; c < row.figures.size(); ++c) {
      line += figure_part(table, row.figures[c], widths[c], marks[c], colour);
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
