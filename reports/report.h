// SPDX-License-Identifier: Apache-2.0
// Builds the tables of grids from the database, and writes them for people and programs.
//
// Nothing here writes to the database: it is opened read-only, and a report is one consistent
// snapshot of it. All functions are stateless and thread-safe. The same database gives the same
// bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "reports/build_tables.h"
#include "reports/pictures.h"
#include "reports/run_details.h"
#include "reports/table.h"

namespace remixer::reports {

namespace fs = std::filesystem;

// What to include in a report.
struct ReportRequest {
  // Grids by name (the newest submit of each) or submit number; none: the newest grid.
  std::vector<std::string> grids{};
  fs::path workspace{};  // holds datasets/ and runs/; empty: the database's folder
  Extras extras = Extras::kRows;
  bool paper = false;                    // show the paper's numbers beside ours
  std::optional<TableDefinition> own{};  // a user's table, instead of the paper's
  // Content besides the tables: the runs behind each number, learning curves, and Table 4's
  // pictures, drawn by the program `tools` (remixer-tools); empty: no pictures.
  bool details = false;
  fs::path tools{};
};

// κ of every block at the end of a cell's training.
struct KappaRow {
  std::string model, labels;
  int64_t seed = 0;
  std::vector<double> kappa;  // by block
};

struct RunFacts {
  int64_t cells = 0;
  int64_t cells_trained = 0;
  int64_t figures = 0;           // committed, of these grids' cells
  int64_t images_evaluated = 0;  // summed over every evaluation
  double train_seconds = 0;      // of finished attempts, in wall-clock time
};

struct Report {
  std::string grid;      // their names: "imagenet9 + imagenet"
  std::string submits;   // their numbers: "3 + 4"
  std::string database;  // file name without folders
  std::string made_at;   // commit time of its newest result; ISO 8601, UTC
  std::vector<Table> tables;
  std::vector<std::string> left_out;  // tables that the grids have no rows for, and why
  std::vector<KappaRow> kappas;
  std::vector<CellDetails> cells;  // of the tables' cells, unless there are too many
  std::vector<Picture> pictures;   // Table 4
  RunFacts facts;
};

// An unfinished grid gives a report with missing figures. Throws InputError if the file is
// missing, is no such database, has another version, or lacks the grid, and if `own` does not fit
// the grids.
Report make_report(const fs::path& database, const ReportRequest& request = {});

// For a terminal; colour adds ANSI escapes. Without colour, an asterisk marks the best.
std::string table_text(const Table& table, bool colour);

// GitHub-flavoured Markdown: heading, caption, table, notes.
std::string to_markdown(const Table& table);
std::string to_markdown(const Report& report);

// RFC 4180; one line per figure, including missing ones. docs/reports.md lists the columns.
std::string csv_header();
std::string to_csv(const Table& table);  // with the header
// The same as a JSON array of objects.
std::string to_json(const std::vector<const Table*>& tables);

// One table environment with booktabs rules; ReMixer's own text only needs \usepackage{booktabs}.
std::string to_latex(const Table& table);
// A whole document with several tables, ready to compile.
std::string latex_document(const std::vector<const Table*>& tables);

// One self-contained page: no script, no network requests.
std::string to_html(const Report& report);

// Writes <table name>.md, .csv and .tex of each table, report.md, report.csv, report.json,
// report.tex, index.html, an .svg of each plot and a .png of each picture to `folder`, which is
// created. Each file is written atomically.
void write_report(const Report& report, const fs::path& folder);

}  // namespace remixer::reports
