// The tables of a grid, made from the database and written for people and programs.
//
// Nothing here writes to the database: it is opened read-only, and one report is one consistent
// view of it. All functions are free of state and thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "reports/table.h"

namespace remixer::reports {

namespace fs = std::filesystem;

// κ of every block, as a cell's finished training left it.
struct KappaRow {
  std::string model, labels;
  int64_t seed = 0;
  std::vector<double> kappa;  // by block; NaN where a block reported none
};

struct RunFacts {
  int64_t cells = 0;
  int64_t cells_trained = 0;
  int64_t figures = 0;           // committed, of this grid's cells
  int64_t images_evaluated = 0;  // summed over every evaluation
  double train_seconds = 0;      // of finished attempts, as the clock on the wall ran
};

struct Report {
  std::string grid;
  int64_t grid_id = 0;
  std::string database;  // its file name, without folders
  std::string made_at;   // ISO 8601, UTC
  std::vector<Table> tables;
  std::vector<std::string> left_out;  // tables that the grid has no rows for, and why
  std::vector<KappaRow> kappas;
  RunFacts facts;
};

// Reads `grid` by name, the newest submit of that name; with an empty name the newest grid. A grid
// under way gives a report with missing figures. Throws InputError where the file is not there, is
// not such a database, or has no such grid.
Report make_report(const fs::path& database, const std::string& grid = "");

// For a terminal; colour adds ANSI escapes. Without colour the best of a block bears an asterisk.
std::string table_text(const Table& table, bool colour);

// GitHub-flavoured Markdown: heading, caption, table, notes.
std::string to_markdown(const Table& table);
std::string to_markdown(const Report& report);

// RFC 4180 with a header line; one line a figure, missing ones included:
// table,weights,train_set,recipe,precision,model,labels,architecture,spatial_prior,labeler,
// test_time_boxes,column,better,value,low,high,sd,seeds,n,gain,gain_low,gain_high,best,missing,paper
std::string to_csv(const Table& table);

// One page that needs nothing else: no script, no request to anywhere.
std::string to_html(const Report& report);

// Writes <table name>.md and .csv of each table, report.md and index.html into `folder`, each file
// whole or not at all. The folder is created.
void write_report(const Report& report, const fs::path& folder);

}  // namespace remixer::reports
