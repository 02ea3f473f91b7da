// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/clock.h"
#include "reports/format.h"
#include "reports/html_figure.h"
#include "reports/html_runs.h"
#include "reports/html_style.h"
#include "reports/html_table.h"
#include "reports/report.h"

namespace remixer::reports {

namespace {

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

// Formats 90000 as "90,000".
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
  if (!report.pictures.empty()) html += "<a href=\"#table4\">Table 4. Saliency maps</a> ";
  html += "<a href=\"#plots\">Plots</a> ";
  if (!report.kappas.empty()) html += "<a href=\"#kappa\">Learned κ</a> ";
  if (!report.cells.empty()) html += "<a href=\"#runs\">Runs</a>";
  return html + "</nav>\n";
}

}  // namespace

std::string to_html(const Report& report) {
  const std::string grid = html_escape(report.grid);
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; img-src data:\">\n<title>{} · "
      "ReMixer</title>\n<style>{}</style>\n</head>\n<body>\n",
      grid, kStyle);
  html += fmt::format(
      "<h1>{}</h1>\n<p class=\"soft\">Tables of the grid {} (submit {}), from {}, newest "
      "result <time>{}</time>.</p>\n",
      grid, grid, report.submits, html_escape(report.database), html_escape(report.made_at));
  html += facts(report) + contents(report);
  std::set<std::string> known;
  for (const CellDetails& cell : report.cells) known.insert(cell.cell_id);
  for (const Table& table : report.tables) html += table_section(table, known);
  html += pictures_section(report) + plots_section(report) + kappa_section(report.kappas);
  if (!report.left_out.empty()) {
    html += "<section>\n<h2>Tables that these grids do not fill</h2>\n<ul class=\"notes\">\n";
    for (const std::string& reason : report.left_out) {
      html += "<li>" + html_escape(reason) + ".</li>\n";
    }
    html += "</ul>\n</section>\n";
  }
  return html + runs_section(report) + "</body>\n</html>\n";
}

}  // namespace remixer::reports
