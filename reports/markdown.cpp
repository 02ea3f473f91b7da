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
    if (std::string_view("\\`*[]<>|#").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string figure_cell(const Figure& figure) {
  std::string text = value_text(figure);
  if (figure.best) text = "**" + text + "**";
  return figure.gain ? text + " " + gain_text(figure) : text;
}

}  // namespace

std::string to_markdown(const Table& table) {
  std::string text = fmt::format("## {}\n\n{}\n\n", escape(table.title), escape(table.caption));
  std::string heading = "| Model | Labels |", rule = "|:--|:--|";
  for (const Column& column : table.columns) {
    heading += fmt::format(" {} |", column.heading_with_arrow());
    rule += "--:|";
    if (column.has_paper) {
      heading += " paper |";
      rule += "--:|";
    }
  }
  text += heading + "\n" + rule + "\n";
  for (const Row& row : table.rows) {
    text += fmt::format("| {} | {} |", escape(row.model), escape(labels_text(row)));
    for (size_t c = 0; c < row.figures.size(); ++c) {
      const Figure& figure = row.figures[c];
      text += fmt::format(" {} |", figure_cell(figure));
      if (table.columns[c].has_paper) {
        text += fmt::format(" {} |", figure.paper ? percent_text(*figure.paper) : "");
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
                  escape(report.grid), escape(report.grid), report.grid_id, escape(report.database),
                  report.made_at, report.facts.cells_trained, report.facts.cells);
  for (const Table& table : report.tables) text += to_markdown(table) + "\n";
  for (const std::string& reason : report.left_out) text += "Left out: " + escape(reason) + ".\n\n";
  text.pop_back();
  return text;
}

}  // namespace remixer::reports
