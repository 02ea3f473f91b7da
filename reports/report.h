// SPDX-License-Identifier: Apache-2.0
// The tables of grids, made from the database and written for people and programs.
//
// Nothing here writes to the database: it is opened read-only, and one report is one consistent
// view of it. All functions are free of state and thread-safe. The same database gives the same
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

// What is asked for.
struct ReportRequest {
  // By name, of each the newest submit, or by a submit's number; none: the newest grid.
  std::vector<std::string> grids{};
  fs::path workspace{};  // holds datasets/ and runs/; empty: the database's folder
  Extras extras = Extras::kRows;
  bool paper = false;                    // the paper's numbers beside ours
  std::optional<TableDefinition> own{};  // a user's table, in the place of the paper's
  // What a page and files show beside the tables: the runs of each number, learning curves, and,
  // drawn by this program (remixer-tools), Table 4's pictures; empty: none of the latter.
  bool details = false;
  fs::path tools{};
};

// κ of every block, as a cell's finished training left it.
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
  double train_seconds = 0;      // of finished attempts, as the clock on the wall ran
};

struct Report {
  std::string grid;      // their names: "imagenet9 + imagenet"
  std::string submits;   // their numbers: "3 + 4"
  std::string database;  // its file name, without folders
  std::string made_at;   // when its newest result was committed; ISO 8601, UTC
  std::vector<Table> tables;
  std::vector<std::string> left_out;  // tables that the grids have no rows for, and why
  std::vector<KappaRow> kappas;
  std::vector<CellDetails> cells;  // of the cells that stand in the tables, if they are few enough
  std::vector<Picture> pictures;   // Table 4
  RunFacts facts;
};

// A grid under way gives a report with missing figures. Throws InputError where the file is not
// there, is not such a database, is of another version, or has no such grid, and where the own
// table does not fit the grids.
Report make_report(const fs::path& database, const ReportRequest& request = {});

// For a terminal; colour adds ANSI escapes. Without colour the best bears an asterisk.
std::string table_text(const Table& table, bool colour);

// GitHub-flavoured Markdown: heading, caption, table, notes.
std::string to_markdown(const Table& table);
std::string to_markdown(const Report& report);

// RFC 4180; one line a figure, missing ones included. The columns are in docs/reports.md.
std::string csv_header();
std::string to_csv(const Table& table);  // with the header
// The same as a JSON array of objects.
std::string to_json(const std::vector<const Table*>& tables);

// One table environment with booktabs rules; ReMixer's own text only needs \usepackage{booktabs}.
std::string to_latex(const Table& table);
// A whole document of several tables, which compiles as it is.
std::string latex_document(const std::vector<const Table*>& tables);

// One page that needs nothing else: no script, no request to anywhere.
std::string to_html(const Report& report);

// Writes <table name>.md, .csv and .tex of each table, report.md, report.csv, report.json,
// report.tex, index.html, an .svg of each plot and a .png of each picture into `folder`, each file
// whole or not at all. The folder is created.
void write_report(const Report& report, const fs::path& folder);

}  // namespace remixer::reports
