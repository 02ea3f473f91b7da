// `remixer report`: the tables of a grid.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "coordinator/command/show/report_output.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/daemon/workspace.h"

namespace remixer::coordinator::command {
namespace {

Json number_or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

// One row a figure; the columns that a script asks for first. CSV holds more (reports::to_csv).
void add_figures(Table& table, const reports::Table& from) {
  for (const reports::Row& row : from.rows) {
    for (size_t i = 0; i < row.figures.size(); ++i) {
      const reports::Figure& figure = row.figures[i];
      const bool has = figure.value.has_value();
      table.add_row(
          {from.id, from.weights, from.train_set, row.architecture, row.spatial_prior, row.labeler,
           from.columns[i].id, has ? Json(figure.value->value) : Json(),
           has ? Json(figure.value->low) : Json(), has ? Json(figure.value->high) : Json(),
           figure.gain ? Json(figure.gain->value) : Json(), number_or_null(figure.sd), figure.seeds,
           figure.n, figure.best, has ? Json() : Json(reports::to_string(figure.missing))});
    }
  }
}

// The tables asked for, in the report's order.
std::vector<const reports::Table*> chosen_tables(const reports::Report& report,
                                                 const std::vector<std::string>& wanted) {
  std::vector<const reports::Table*> tables;
  std::set<std::string> missing(wanted.begin(), wanted.end());
  for (const reports::Table& table : report.tables) {
    const bool asked = std::find(wanted.begin(), wanted.end(), table.id) != wanted.end();
    if (wanted.empty() || asked) tables.push_back(&table);
    missing.erase(table.id);
  }
  if (missing.empty()) return tables;
  std::string ids;
  for (const reports::Table& table : report.tables) {
    if (ids.find(table.id) == std::string::npos) ids += (ids.empty() ? "" : ", ") + table.id;
  }
  fail_input("the grid {} has no table {}; it has {}", report.grid, *missing.begin(),
             ids.empty() ? "none yet" : ids);
}

struct ReportOptions {
  std::string grid;
  std::string out;
  std::vector<std::string> tables;
};

int report(const CommandLine& line, const ReportOptions& options) {
  const reports::Report report = reports::make_report(database_file(line.workspace), options.grid);
  print(report_text(report, options.tables, line.format, use_colour()));
  if (options.out.empty()) return kExitDone;
  reports::write_report(report, options.out);
  if (line.format == Format::kTable) {
    print(fmt::format("\nWritten: {}\n", (fs::path(options.out) / "index.html").string()));
  }
  return kExitDone;
}

}  // namespace

fs::path report_folder(const fs::path& workspace, const std::string& grid) {
  return workspace / "reports" / grid;
}

std::string report_text(const reports::Report& report, const std::vector<std::string>& wanted,
                        Format format, bool colour) {
  const auto tables = chosen_tables(report, wanted);
  std::string text;
  if (format == Format::kJson) {
    Table list({{"table"},
                {"weights"},
                {"train_set"},
                {"architecture"},
                {"spatial_prior"},
                {"labeler"},
                {"column"},
                {"value"},
                {"low"},
                {"high"},
                {"gain"},
                {"sd"},
                {"seeds"},
                {"n"},
                {"best"},
                {"missing"}});
    for (const reports::Table* table : tables) add_figures(list, *table);
    return list.json();
  }
  for (const reports::Table* table : tables) {
    if (format == Format::kTable) {
      text += "\n" + reports::table_text(*table, colour);
      continue;
    }
    // One heading for all.
    const std::string csv = reports::to_csv(*table);
    text += text.empty() ? csv : csv.substr(csv.find('\n') + 1);
  }
  if (format == Format::kTable && wanted.empty()) {
    for (const std::string& why : report.left_out) text += "\n" + why + "\n";
  }
  return text;
}

void write_and_print_report(const fs::path& workspace, const std::string& grid) {
  const reports::Report report = reports::make_report(database_file(workspace), grid);
  const fs::path folder = report_folder(workspace, grid);
  reports::write_report(report, folder);
  print(report_text(report, {}, Format::kTable, use_colour()));
  print(fmt::format("\nThe same as a page: {}\n", fs::absolute(folder / "index.html").string()));
}

void add_report(CommandLine& line) {
  CLI::App* command = add_command(line, "report", "Print a grid's tables, as far as they are",
                                  "remixer report quickstart --table 1 --format csv > table1.csv");
  auto options = std::make_shared<ReportOptions>();
  command->add_option("GRID", options->grid, "The grid's name [the newest grid]");
  command->add_option("--out", options->out, "Also write Markdown, CSV and an HTML page there")
      ->type_name("DIR");
  command->add_option("--table", options->tables, "Only this table; may be given several times")
      ->type_name("N")
      ->expected(1)
      ->take_all();
  add_format(line, command);
  command->callback(
      [&line, options] { line.chosen = [&line, options] { return report(line, *options); }; });
}

}  // namespace remixer::coordinator::command
