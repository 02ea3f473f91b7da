#include "reports/report.h"

#include "base/clock.h"
#include "base/file.h"
#include "reports/build_tables.h"
#include "reports/row_names.h"
#include "reports/study.h"

namespace remixer::reports {

namespace {

RunFacts gather_facts(const Study& study) {
  RunFacts facts;
  facts.cells = static_cast<int64_t>(study.cells.size());
  facts.figures = static_cast<int64_t>(study.figures.size());
  facts.train_seconds = study.train_seconds;
  for (const auto& [cell, state] : study.train_state) facts.cells_trained += state == "done";
  for (const auto& [key, figure] : study.figures) {
    if (std::get<1>(key) == "raw" && std::get<3>(key) == "top1") facts.images_evaluated += figure.n;
  }
  return facts;
}

}  // namespace

Report make_report(const fs::path& database, const std::string& grid) {
  const Study study = read_study(database, grid);
  Tables tables = build_tables(study, table_definitions(), paper_numbers());
  Report report;
  report.grid = study.grid;
  report.grid_id = study.grid_id;
  report.database = database.filename().string();
  report.made_at = iso_time(system_clock().wall());
  report.tables = std::move(tables.tables);
  report.left_out = std::move(tables.left_out);
  report.facts = gather_facts(study);
  for (const StudyCell& cell : study.cells) {
    const auto kappa = study.kappa.find(cell.id);
    if (kappa == study.kappa.end()) continue;
    report.kappas.push_back({model_name(cell.architecture, cell.spatial_prior).label,
                             labeler_name(cell.labeler).label, cell.seed, kappa->second});
  }
  return report;
}

void write_report(const Report& report, const fs::path& folder) {
  for (const Table& table : report.tables) {
    write_file_atomic(folder / (table.name + ".md"), to_markdown(table));
    write_file_atomic(folder / (table.name + ".csv"), to_csv(table));
  }
  write_file_atomic(folder / "report.md", to_markdown(report));
  write_file_atomic(folder / "index.html", to_html(report));
}

}  // namespace remixer::reports
