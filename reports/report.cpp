// SPDX-License-Identifier: Apache-2.0
#include "reports/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "base/clock.h"
#include "base/file.h"
#include "reports/report_plots.h"
#include "reports/stored_answers.h"
#include "reports/study.h"

namespace remixer::reports {

namespace {

RunFacts gather_facts(const Study& study) {
  RunFacts facts;
  facts.cells = static_cast<int64_t>(study.cells.size());
  facts.figures = study.figures;
  facts.train_seconds = study.train_seconds;
  for (const StudyCell& cell : study.cells) {
    facts.cells_trained += cell.train_state == "done";
    for (const Evaluation& evaluation : cell.evaluations) {
      const auto found = evaluation.figures.find({"raw", "top1"});
      if (found != evaluation.figures.end()) facts.images_evaluated += found->second.n;
    }
  }
  return facts;
}

std::vector<const Table*> pointers(const std::vector<Table>& tables) {
  std::vector<const Table*> all;
  for (const Table& table : tables) all.push_back(&table);
  return all;
}

// With more cells, a page of their details would be too long to open.
constexpr size_t kMostDetails = 600;

std::set<std::string> cells_in(const std::vector<Table>& tables) {
  std::set<std::string> cells;
  for (const Table& table : tables) {
    for (const Row& row : table.rows) {
      for (const Figure& figure : row.figures) {
        for (const Part& part : figure.parts) cells.insert(part.cell_id);
      }
    }
  }
  return cells;
}

void add_details(const Study& study, const fs::path& database, const fs::path& workspace,
                 const fs::path& tools, Report& report) {
  const std::set<std::string> cells = cells_in(report.tables);
  if (cells.size() <= kMostDetails)
    report.cells = read_run_details(study, cells, database, workspace);
  if (tools.empty()) return;
  Pictures pictures = make_pictures(study, database, workspace, tools);
  report.pictures = std::move(pictures.pictures);
  for (std::string& why : pictures.left_out) report.left_out.push_back(std::move(why));
}

}  // namespace

Report make_report(const fs::path& database, const ReportRequest& request) {
  const fs::path workspace = request.workspace.empty() ? database.parent_path() : request.workspace;
  const Study study = read_study(database, request.grids, workspace);
  const BuildOptions options{request.extras, request.paper, stored_answers(workspace)};
  Tables tables = request.own ? build_own_table(study, *request.own, options)
                              : build_tables(study, table_definitions(), options);
  Report report;
  report.grid = fmt::format("{}", fmt::join(study.grids, " + "));
  report.submits = fmt::format("{}", fmt::join(study.grid_ids, " + "));
  report.database = database.filename().string();
  report.made_at = iso_time(study.newest);
  report.tables = std::move(tables.tables);
  report.left_out = std::move(tables.left_out);
  report.facts = gather_facts(study);
  for (const StudyCell& cell : study.cells) {
    if (cell.kappa.empty()) continue;
    report.kappas.push_back({cell.name.whole(), cell.labels.label, cell.seed, cell.kappa});
  }
  if (request.details) add_details(study, database, workspace, request.tools, report);
  return report;
}

void write_report(const Report& report, const fs::path& folder) {
  const std::vector<const Table*> all = pointers(report.tables);
  std::string csv = csv_header();
  for (const Table& table : report.tables) {
    const std::string own = to_csv(table);
    csv += own.substr(csv_header().size());
    write_file_atomic(folder / (table.name + ".md"), to_markdown(table));
    write_file_atomic(folder / (table.name + ".csv"), own);
    write_file_atomic(folder / (table.name + ".tex"), to_latex(table));
  }
  write_file_atomic(folder / "report.md", to_markdown(report));
  write_file_atomic(folder / "report.csv", csv);
  write_file_atomic(folder / "report.json", to_json(all));
  write_file_atomic(folder / "report.tex", latex_document(all));
  for (const NamedPlot& plot : report_plots(report))
    write_file_atomic(folder / (plot.name + ".svg"), plot.svg);
  for (const Picture& picture : report.pictures)
    write_file_atomic(folder / (picture.name + ".png"), picture.png);
  write_file_atomic(folder / "index.html", to_html(report));
}

}  // namespace remixer::reports
