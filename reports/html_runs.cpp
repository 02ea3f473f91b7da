// SPDX-License-Identifier: Apache-2.0
#include "reports/html_runs.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "reports/html_figure.h"
#include "reports/report_plots.h"

namespace remixer::reports {

namespace {

// An SVG file's element for embedding in a page: without the namespace, which looks like a URL.
std::string inlined(std::string svg) {
  constexpr std::string_view kNamespace = " xmlns=\"http://www.w3.org/2000/svg\"";
  const size_t found = svg.find(kNamespace);
  return found == std::string::npos ? svg : svg.erase(found, kNamespace.size());
}

std::string name_of(const CellDetails& cell) {
  std::string name = cell.name;
  if (!cell.labels.empty()) name += " + ReMixer (" + cell.labels + ")";
  return fmt::format("{}, seed {}", name, cell.seed);
}

std::string run_row(const RunDetails& run) {
  const std::string what = run.set.empty() ? run.kind : run.kind + " " + run.set;
  std::string html = fmt::format("<tr><th scope=\"row\">{}</th>", html_escape(what));
  const auto cell = [&](const std::string& text) {
    html += "<td class=\"labels\">" + (text.empty() ? "–" : html_escape(text)) + "</td>";
  };
  cell(run.commit);
  cell(run.device.empty() ? run.host : run.host + ", " + run.device);
  cell(run.ended);
  cell(fmt::format("{}", run.attempts));
  html += run.file.empty() ? "<td class=\"labels\">–"
                           : "<td class=\"labels\"><code>" + html_escape(run.file) + "</code>";
  if (!run.file.empty() && !run.kept) html += " (not kept)";
  if (!run.sha256.empty()) html += fmt::format(" <small>{}</small>", run.sha256.substr(0, 12));
  return html + "</td></tr>\n";
}

// Uses a checkbox instead of <details>, whose closed content a style sheet cannot print.
std::string folded(const std::string& id, const std::string& label, const std::string& content) {
  return fmt::format(
      "<div><input type=\"checkbox\" class=\"fold\" id=\"{0}\"><label for=\"{0}\">{1}</label>\n"
      "<div class=\"folded\">{2}</div></div>\n",
      id, label, content);
}

std::string cell_entry(const CellDetails& cell) {
  const std::string anchor = cell_anchor(cell.cell_id);
  std::string html = fmt::format(
      "<div class=\"run\" id=\"{}\">\n<h3>{}</h3>\n<p class=\"soft\">Cell <code>{}</code></p>\n",
      anchor, html_escape(name_of(cell)), cell.cell_id.substr(0, 16));
  html +=
      "<div class=\"scroll\"><table>\n<thead><tr><th class=\"model\" scope=\"col\">Task</th>"
      "<th class=\"labels\" scope=\"col\">Commit</th><th class=\"labels\" scope=\"col\">Host</th>"
      "<th class=\"labels\" scope=\"col\">Ended</th><th class=\"labels\" scope=\"col\">Attempts"
      "</th><th class=\"labels\" scope=\"col\">File</th></tr></thead>\n<tbody>\n";
  for (const RunDetails& run : cell.runs) html += run_row(run);
  html += "</tbody></table></div>\n";
  if (!cell.spec.empty()) {
    html += folded(anchor + "-spec", "Spec", "<pre>" + html_escape(cell.spec) + "</pre>");
  }
  const std::string curve = curve_svg(cell);
  if (!curve.empty())
    html += folded(anchor + "-curve", "Learning curve", "<figure>" + inlined(curve) + "</figure>");
  return html + "</div>\n";
}

}  // namespace

std::string cell_anchor(const std::string& cell_id) {
  return "cell-" + cell_id.substr(0, 16);
}

std::string runs_section(const Report& report) {
  if (report.cells.empty()) return "";
  std::string html =
      "<section id=\"runs\">\n<h2>Runs</h2>\n<p>Every number above leads to the runs that it was "
      "made from, one entry for each seed. <code>remixer report --check</code> makes the numbers "
      "again from their files.</p>\n";
  for (const CellDetails& cell : report.cells) html += cell_entry(cell);
  return html + "</section>\n";
}

std::string plots_section(const Report& report) {
  const std::vector<NamedPlot> plots = report_plots(report);
  if (plots.empty()) return "";
  std::string html = "<section id=\"plots\">\n<h2>Plots</h2>\n<div class=\"plots\">\n";
  for (const NamedPlot& plot : plots) {
    html += fmt::format(
        "<figure id=\"{}\"><figcaption>{}</figcaption>\n{}<p class=\"notes\">{}</p></figure>\n",
        html_escape(plot.name), html_escape(plot.heading), inlined(plot.svg),
        html_escape(plot.note));
  }
  return html + "</div>\n</section>\n";
}

std::string pictures_section(const Report& report) {
  if (report.pictures.empty()) return "";
  std::string html = "<section id=\"table4\">\n<h2>Table 4. Saliency maps</h2>\n";
  for (const Picture& picture : report.pictures) {
    html += fmt::format(
        "<h3>{}</h3>\n<p>{}</p>\n<div class=\"scroll\"><img class=\"maps\" alt=\"{}\" "
        "src=\"data:image/png;base64,{}\"></div>\n",
        html_escape(picture.heading), html_escape(picture.caption), html_escape(picture.alt),
        base64(picture.png));
  }
  return html + "</section>\n";
}

}  // namespace remixer::reports
