// SPDX-License-Identifier: Apache-2.0
#include "reports/html_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/format.h"
#include "reports/html_figure.h"
#include "reports/html_runs.h"

namespace remixer::reports {

namespace {

// CSS class of a gain: a gain, a loss, or within noise.
const char* gain_class(const Gain& gain, const Column& column) {
  if (gain.within_noise) return "unsure";
  return (gain.value > 0) != column.lower_is_better() ? "good" : "bad";
}

// The value, linked to its runs if the page has them.
std::string linked(const std::string& value, const Figure& figure,
                   const std::set<std::string>& known) {
  if (figure.parts.empty() || !known.contains(figure.parts.front().cell_id)) return value;
  return fmt::format("<a class=\"value\" href=\"#{}\">{}</a>",
                     cell_anchor(figure.parts.front().cell_id), value);
}

// `gains`: the column has gains, so a figure without one leaves space for it.
std::string html_cell(const Table& table, const Figure& figure, const Column& column, bool gains,
                      const std::set<std::string>& known) {
  std::string cell = fmt::format("<td{} title=\"{}\">", figure.value ? "" : " class=\"missing\"",
                                 html_escape(detail_text(figure, table.decimals)));
  std::string value = figure.value ? number_text(figure.value->value, table.decimals) : "–";
  if (figure.sd)
    value += fmt::format("<small> ± {}</small>", number_text(*figure.sd, table.decimals));
  value = linked(value, figure, known);
  cell += figure.best ? "<b>" + value + "</b>" : value;
  if (figure.best_within_noise) cell += kNoiseMark;
  if (figure.gain) {
    cell += fmt::format("<span class=\"gain {}\">{}</span>", gain_class(*figure.gain, column),
                        gain_text(figure, table.decimals));
  } else if (gains) {
    cell += "<span class=\"gain\"></span>";
  }
  cell += "</td>";
  if (column.has_paper) {
    cell += fmt::format("<td class=\"paper\">{}</td>", paper_text(figure, table.decimals));
  }
  return cell;
}

bool has_gains(const Table& table, size_t column) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [&](const Row& row) { return row.figures[column].gain.has_value(); });
}

std::string row_heading(const Table& table, const Row& row, bool rules) {
  std::string style = row.starts_block && rules ? "block" : "";
  if (row.model.starts_with("+ ")) style += "plus";
  if (row.grey) style += " grey";
  std::string html = fmt::format("<tr class=\"{}\"><th scope=\"row\">{}", style,
                                 html_escape(name_text(table, row)));
  if (table.labeler_column) {
    // Shown on phones, where the labeler column is hidden.
    if (!row.labels.empty())
      html +=
          fmt::format("<small class=\"labels-below\">{}</small>", html_escape(labels_text(row)));
    html += fmt::format("</th><td class=\"labels\">{}</td>", html_escape(labels_text(row)));
    return html;
  }
  return html + "</th>";
}

std::string table_heading(const Table& table, const char* style, bool paper) {
  std::string html = fmt::format(
      "<div class=\"scroll\"><table class=\"{}\">\n<thead><tr><th class=\"model\" "
      "scope=\"col\">Model</th>",
      style);
  if (table.labeler_column) html += "<th class=\"labels\" scope=\"col\">Patch labeler</th>";
  for (const Column& column : table.columns) {
    html += fmt::format("<th scope=\"col\">{}</th>", html_escape(column.heading_with_arrow()));
    if (paper && column.has_paper) html += "<th scope=\"col\" class=\"paper\">Paper</th>";
  }
  return html + "</tr></thead>\n<tbody>\n";
}

// Mean, deviation and gain would be too wide for one line: the gain goes below.
bool has_deviations(const Table& table) {
  return std::any_of(table.rows.begin(), table.rows.end(), [](const Row& row) {
    return std::any_of(row.figures.begin(), row.figures.end(),
                       [](const Figure& figure) { return figure.sd.has_value(); });
  });
}

bool has_rules(const Table& table) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [](const Row& row) { return !row.starts_block; });
}

std::string interval_cell(const Table& table, const Figure& figure) {
  if (!figure.value) {
    return fmt::format("<td class=\"missing\">{}</td>", to_string(figure.missing));
  }
  std::string html = fmt::format("<td>{} to {}", number_text(figure.value->low, table.decimals),
                                 number_text(figure.value->high, table.decimals));
  if (figure.gain) {
    const Gain& gain = *figure.gain;
    html +=
        fmt::format("<br><span class=\"soft\">gain {} to {}{}</span>",
                    signed_text(gain.low, table.decimals), signed_text(gain.high, table.decimals),
                    gain.p ? fmt::format(", p = {:.2g}", *gain.p) : std::string());
  }
  return html + "</td>";
}

// Every figure's interval, for readers who cannot hover. Uses a checkbox instead of <details>,
// whose closed content a style sheet cannot print.
std::string intervals(const Table& table) {
  const bool any = std::any_of(table.rows.begin(), table.rows.end(), [](const Row& row) {
    return std::any_of(row.figures.begin(), row.figures.end(), [](const Figure& figure) {
      return figure.value && figure.value->low < figure.value->high;
    });
  });
  if (!any) return "";
  std::string html = fmt::format(
      "<input type=\"checkbox\" class=\"fold\" id=\"{0}-intervals\"><label "
      "for=\"{0}-intervals\">95 % intervals</label>\n<div class=\"folded\">\n",
      html_escape(table.name));
  html += table_heading(table, "figures intervals", false);
  for (const Row& row : table.rows) {
    html += row_heading(table, row, has_rules(table));
    for (const Figure& figure : row.figures) html += interval_cell(table, figure);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n</div>\n";
}

// Non-breaking hyphens: words such as Only-BG-T stay on one line.
std::string with_firm_hyphens(const std::string& text) {
  std::string firm;
  for (char c : text) firm += c == '-' ? std::string("‑") : std::string(1, c);
  return firm;
}

std::string column_figures(const Table& table) {
  std::string figures;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].id == "bg_gap" || table.columns[c].id == "mixed_rand") {
      figures = column_figure(table, c) + figures;  // the gap is a later column, but goes first
    }
  }
  if (figures.empty()) return "";
  return "<div class=\"plots\">\n" + figures +
         "</div>\n<p class=\"notes\">Dots with 95 % intervals; plain models hollow, ReMixer "
         "filled; the dotted line is the plain model's figure.</p>\n";
}

}  // namespace

std::string table_section(const Table& table, const std::set<std::string>& known) {
  std::string html =
      fmt::format("<section id=\"{}\">\n<div class=\"whole\">\n<h2>{}</h2>\n<p>{}</p>\n",
                  html_escape(table.name), html_escape(table.title),
                  with_firm_hyphens(html_escape(table.caption)));
  html += table_heading(table, has_deviations(table) ? "figures tall" : "figures", true);
  for (const Row& row : table.rows) {
    html += row_heading(table, row, has_rules(table));
    for (size_t c = 0; c < table.columns.size(); ++c) {
      html += html_cell(table, row.figures[c], table.columns[c], has_gains(table, c), known);
    }
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n<ul class=\"notes\">\n";
  for (const std::string& note : table.notes) html += "<li>" + html_escape(note) + "</li>\n";
  html += "</ul>\n</div>\n" + intervals(table);
  if (table.id == "1") html += column_figures(table);
  return html + "</section>\n";
}

}  // namespace remixer::reports
