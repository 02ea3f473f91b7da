// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "reports/format.h"
#include "reports/report.h"

namespace remixer::reports {

namespace {

// Names come from a grid file: nothing in them may act as markup.
std::string escape(const std::string& text) {
  std::string escaped;
  for (char c : text) {
    if (c == '\n' || c == '\r') c = ' ';
    if (std::string_view("\\`*[]<>|#~").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string markdown_cell(const Figure& figure, int decimals) {
  std::string text = value_text(figure, decimals);
  if (figure.best) text = "**" + text + "**" + (figure.best_within_noise ? "\\~" : "");
  return figure.gain ? text + " " + escape(gain_text(figure, decimals)) : text;
}

}  // namespace

std::string to_markdown(const Table& table) {
  std::string text = fmt::format("## {}\n\n{}\n\n", escape(table.title), escape(table.caption));
  std::string heading = "| Model |", rule = "|:--|";
  if (table.labeler_column) {
    heading += " Patch labeler |";
    rule += ":--|";
  }
  for (const Column& column : table.columns) {
    heading += fmt::format(" {} |", escape(column.heading_with_arrow()));
    rule += "--:|";
    if (column.has_paper) {
      heading += " Paper |";
      rule += "--:|";
    }
  }
  text += heading + "\n" + rule + "\n";
  for (const Row& row : table.rows) {
    // A plus at the start of a cell does not begin a list.
    text += fmt::format("| {} |", escape(name_text(table, row)));
    if (table.labeler_column) text += fmt::format(" {} |", escape(labels_text(row)));
    for (size_t c = 0; c < row.figures.size(); ++c) {
      text += fmt::format(" {} |", markdown_cell(row.figures[c], table.decimals));
      if (table.columns[c].has_paper) {
        text += fmt::format(" {} |", paper_text(row.figures[c], table.decimals));
      }
    }
    text += "\n";
  }
  text += "\n";
  for (const std::string& note : table.notes) text += "- " + escape(note) + "\n";
  return text;
}

std::string to_markdown(const Report& report) {
  std::string text =
      fmt::format("# {}\n\nGrid {} (submit {}) from {}, {}. {} of {} cells trained.\n\n",
                  escape(report.grid), escape(report.grid), report.submits, escape(report.database),
                  report.made_at, report.facts.cells_trained, report.facts.cells);
  for (const Table& table : report.tables) text += to_markdown(table) + "\n";
  for (const std::string& reason : report.left_out) text += "Not here: " + escape(reason) + ".\n\n";
  text.pop_back();
  return text;
}

}  // namespace remixer::reports
