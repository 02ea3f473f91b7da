#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/clock.h"
#include "reports/format.h"
#include "reports/html_figure.h"
#include "reports/html_style.h"
#include "reports/report.h"

namespace remixer::reports {

namespace {

// Whether a gain is one, a loss, or within its interval of nothing.
const char* gain_class(const Figure& figure, const Column& column) {
  if (figure.gain->low <= 0 && figure.gain->high >= 0) return "unsure";
  return (figure.gain->value > 0) != column.lower_is_better ? "good" : "bad";
}

// `gains`: the column has gains, so a figure without one keeps their place free.
std::string figure_cell(const Figure& figure, const Column& column, bool gains) {
  std::string cell = fmt::format("<td{} title=\"{}\">", figure.value ? "" : " class=\"missing\"",
                                 html_escape(detail_text(figure)));
  std::string value = figure.value ? percent_text(figure.value->value) : "–";
  if (figure.sd) value += fmt::format("<small> ± {}</small>", percent_text(*figure.sd));
  cell += figure.best ? "<b>" + value + "</b>" : value;
  if (figure.gain) {
    cell += fmt::format("<span class=\"gain {}\">{}</span>", gain_class(figure, column),
                        gain_text(figure));
  } else if (gains) {
    cell += "<span class=\"gain\"></span>";
  }
  cell += "</td>";
  if (column.has_paper) {
    cell += fmt::format("<td class=\"paper\">{}</td>",
                        figure.paper ? percent_text(*figure.paper) : std::string());
  }
  return cell;
}

bool has_gains(const Table& table, size_t column) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [&](const Row& row) { return row.figures[column].gain.has_value(); });
}

std::string row_heading(const Row& row) {
  std::string style = row.starts_block ? "block" : "";
  if (!row.starts_block && !row.labels.empty()) style += "plus";
  std::string name = row.model;
  if (!row.labels.empty()) name += " (" + labels_text(row) + ")";
  return fmt::format("<tr class=\"{}\"><th scope=\"row\">{}</th>", style, html_escape(name));
}

std::string table_heading(const Table& table, const char* style, bool paper) {
  std::string html = fmt::format(
      "<div class=\"scroll\"><table class=\"{}\">\n<thead><tr><th class=\"model\" "
      "scope=\"col\">Model</th>",
      style);
  for (const Column& column : table.columns) {
    html += fmt::format("<th scope=\"col\">{}</th>", html_escape(column.heading_with_arrow()));
    if (paper && column.has_paper) html += "<th scope=\"col\" class=\"paper\">paper</th>";
  }
  return html + "</tr></thead>\n<tbody>\n";
}

// Every figure's interval, for those who cannot hover.
std::string intervals(const Table& table) {
  const auto range = [](const Estimate& estimate, std::string (*text)(double)) {
    return fmt::format("{} to {}", text(estimate.low), text(estimate.high));
  };
  std::string html = "<details><summary>95 % intervals</summary>\n";
  html += table_heading(table, "figures intervals", false);
  for (const Row& row : table.rows) {
    html += row_heading(row);
    for (const Figure& figure : row.figures) {
      if (!figure.value) {
        html += fmt::format("<td class=\"missing\">{}</td>", to_string(figure.missing));
        continue;
      }
      html += "<td>" + range(*figure.value, percent_text);
      if (figure.gain) {
        html += fmt::format("<br><span class=\"soft\">gain {}</span>",
                            range(*figure.gain, signed_text));
      }
      html += "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n</details>\n";
}

std::string figures_of(const Table& table) {
  std::string figures;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].id == "bg_gap" || table.columns[c].id == "mixed_rand") {
      figures = column_figure(table, c) + figures;  // the gap, the later column, goes first
    }
  }
  if (figures.empty()) return "";
  return "<div class=\"plots\">\n" + figures +
         "</div>\n<p class=\"notes\">Dots with 95 % intervals; plain models hollow, ReMixer "
         "filled; the "
         "dotted line is the plain model's figure.</p>\n";
}

// Words such as Only-BG-T stay on one line.
std::string with_firm_hyphens(const std::string& text) {
  std::string firm;
  for (char c : text) firm += c == '-' ? std::string("‑") : std::string(1, c);
  return firm;
}

std::string table_section(const Table& table) {
  std::string html =
      fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n<p>{}</p>\n", html_escape(table.name),
                  html_escape(table.title), with_firm_hyphens(html_escape(table.caption)));
  html += table_heading(table, "figures", true);
  bool any_gain = false;
  for (const Row& row : table.rows) {
    html += row_heading(row);
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const bool gains = has_gains(table, c);
      html += figure_cell(row.figures[c], table.columns[c], gains);
      any_gain = any_gain || gains;
    }
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n<ul class=\"notes\">\n";
  for (const std::string& note : table.notes) html += "<li>" + html_escape(note) + "</li>\n";
  if (any_gain) html += "<li>A gain is coloured where its 95 % interval does not hold 0.</li>\n";
  html += "</ul>\n" + intervals(table);
  if (table.id == "1") html += figures_of(table);
  return html + "</section>\n";
}

std::string kappa_cell(double kappa, double largest) {
  if (!std::isfinite(kappa)) return "<td class=\"missing\">–</td>";
  const double strength = largest > 0 ? std::clamp(kappa / largest, 0.0, 1.0) : 0;
  return fmt::format("<td style=\"background:rgba(var(--heat),{:.2f})\">{:.3f}</td>",
                     0.45 * strength, kappa);
}

std::string kappa_section(const std::vector<KappaRow>& rows) {
  if (rows.empty()) return "";
  size_t blocks = 0;
  double largest = 0;
  std::set<int64_t> seeds;
  for (const KappaRow& row : rows) {
    blocks = std::max(blocks, row.kappa.size());
    seeds.insert(row.seed);
    for (double kappa : row.kappa) {
      if (std::isfinite(kappa)) largest = std::max(largest, kappa);
    }
  }
  std::string html =
      "<section id=\"kappa\">\n<h2>Learned κ</h2>\n<p>How strongly each block listens to the "
      "object "
      "labels: patch i hears patch j with weight exp(−κ·d). At 0 the labels are not used. "
      "Distances "
      "differ by labeler, so compare within a row.</p>\n<div class=\"scroll\"><table "
      "class=\"heat\">\n"
      "<thead><tr><th class=\"model\" scope=\"col\">Block</th>";
  for (size_t b = 0; b < blocks; ++b) html += fmt::format("<th scope=\"col\">{}</th>", b);
  html += "</tr></thead>\n<tbody>\n";
  for (const KappaRow& row : rows) {
    std::string name = row.labels.empty() ? row.model : row.model + " (" + row.labels + ")";
    if (seeds.size() > 1) name += fmt::format(", seed {}", row.seed);
    html += fmt::format("<tr><th scope=\"row\">{}</th>", html_escape(name));
    for (size_t b = 0; b < blocks; ++b) {
      html += kappa_cell(b < row.kappa.size() ? row.kappa[b] : NAN, largest);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n</section>\n";
}

// 90000 as "90,000".
std::string grouped(int64_t number) {
  const std::string digits = fmt::format("{}", number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string facts(const Report& report) {
  std::string html = "<dl>\n";
  const auto fact = [&](const char* name, const std::string& value) {
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, html_escape(value));
  };
  fact("Cells trained", fmt::format("{} of {}", report.facts.cells_trained, report.facts.cells));
  fact("Figures", fmt::format("{}", report.facts.figures));
  fact("Images evaluated", grouped(report.facts.images_evaluated));
  fact("Training, in all", duration_text(report.facts.train_seconds));
  return html + "</dl>\n";
}

std::string contents(const Report& report) {
  std::string html = "<nav>";
  for (const Table& table : report.tables) {
    html +=
        fmt::format("<a href=\"#{}\">{}</a> ", html_escape(table.name), html_escape(table.title));
  }
  if (!report.kappas.empty()) html += "<a href=\"#kappa\">Learned κ</a>";
  return html + "</nav>\n";
}

}  // namespace

std::string to_html(const Report& report) {
  const std::string grid = html_escape(report.grid);
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>{} · ReMixer</title>\n<style>{}</style>\n</head>\n<body>\n",
      grid, kStyle);
  html += fmt::format(
      "<h1>{}</h1>\n<p class=\"soft\">Tables of the grid {} (submit {}), from {}, made "
      "<time>{}</time>.</p>\n",
      grid, grid, report.grid_id, html_escape(report.database), html_escape(report.made_at));
  html += facts(report) + contents(report);
  for (const Table& table : report.tables) html += table_section(table);
  html += kappa_section(report.kappas);
  if (!report.left_out.empty()) {
    html += "<section>\n<h2>Left out</h2>\n<ul class=\"notes\">\n";
    for (const std::string& reason : report.left_out) {
      html += "<li>" + html_escape(reason) + ".</li>\n";
    }
    html += "</ul>\n</section>\n";
  }
  return html + "</body>\n</html>\n";
}

}  // namespace remixer::reports
