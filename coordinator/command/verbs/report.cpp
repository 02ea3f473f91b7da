// SPDX-License-Identifier: Apache-2.0
// `remixer report`: prints the tables of grids.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/installation.h"
#include "coordinator/command/show/report_output.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/daemon/workspace.h"
#include "reports/check.h"

namespace remixer::coordinator::command {
namespace {

// The requested tables, in the report's order.
std::vector<reports::Table> chosen_tables(const reports::Report& report,
                                          const std::vector<std::string>& wanted) {
  if (wanted.empty()) return report.tables;
  std::vector<reports::Table> tables;
  std::vector<std::string> known;
  for (const reports::Table& table : report.tables) {
    if (std::find(known.begin(), known.end(), table.id) == known.end()) known.push_back(table.id);
    if (std::find(wanted.begin(), wanted.end(), table.id) != wanted.end()) tables.push_back(table);
  }
  for (const std::string& id : wanted) {
    if (std::find(known.begin(), known.end(), id) != known.end()) continue;
    for (const std::string& why : report.left_out) {
      if (why.starts_with("Table " + id + ".")) fail_input("grid {}: {}", report.grid, why);
    }
    fail_input("the grid {} has no table {}; it has {}", report.grid, id,
               known.empty() ? "none yet" : fmt::format("{}", fmt::join(known, ", ")));
  }
  return tables;
}

struct ReportOptions {
  std::vector<std::string> grids, tables;
  std::string out, extras = "rows", format = "table";
  bool paper = false, check = false;
};

const std::map<std::string, ReportFormat>& formats() {
  static const std::map<std::string, ReportFormat> all{
      {"table", ReportFormat::kTable}, {"csv", ReportFormat::kCsv},
      {"json", ReportFormat::kJson},   {"markdown", ReportFormat::kMarkdown},
      {"latex", ReportFormat::kLatex}, {"html", ReportFormat::kHtml}};
  return all;
}

// True if `table` is a file, not a table's number or id.
bool is_file(const std::string& table) {
  return table.ends_with(".toml") || table.find('/') != std::string::npos;
}

reports::ReportRequest request_of(const CommandLine& line, const ReportOptions& options) {
  static const std::map<std::string, reports::Extras> extras{{"none", reports::Extras::kNone},
                                                             {"rows", reports::Extras::kRows},
                                                             {"all", reports::Extras::kAll}};
  reports::ReportRequest request;
  request.grids = options.grids;
  request.workspace = line.workspace;
  request.extras = extras.at(options.extras);
  request.paper = options.paper;
  // Only pages and files include the runs and the pictures.
  request.details = !options.out.empty() || options.format == "html";
  request.tools = program_folder() / "remixer-tools";
  return request;
}

// The paper's tables, some of them (`wanted`), or the user's own.
reports::ReportRequest choose(const CommandLine& line, const ReportOptions& options,
                              std::vector<std::string>& wanted) {
  reports::ReportRequest request = request_of(line, options);
  for (const std::string& table : options.tables) {
    if (!is_file(table)) {
      wanted.push_back(table);
      continue;
    }
    if (options.tables.size() > 1) {
      fail_input("--table {}: an own table stands alone; ask for the others in another command",
                 table);
    }
    request.own = reports::read_table_definition(table);
  }
  return request;
}

int check(const CommandLine& line, const reports::ReportRequest& request) {
  const reports::CheckResult result = reports::check_report(database_file(line.workspace), request);
  print(reports::check_text(result));
  return result.passed() ? kExitDone : kExitFailure;
}

int report(const CommandLine& line, const ReportOptions& options) {
  std::vector<std::string> wanted;
  const reports::ReportRequest request = choose(line, options, wanted);
  if (options.check) return check(line, request);
  const reports::Report report = reports::make_report(database_file(line.workspace), request);
  const ReportFormat format = formats().at(options.format);
  print(report_text(report, wanted, format, use_colour()));
  if (options.out.empty()) return kExitDone;
  reports::write_report(report, options.out);
  if (format == ReportFormat::kTable) {
    print(fmt::format("\nWritten: {}\n", (fs::path(options.out) / "index.html").string()));
  }
  return kExitDone;
}

std::vector<const reports::Table*> pointers(const std::vector<reports::Table>& tables) {
  std::vector<const reports::Table*> all;
  for (const reports::Table& table : tables) all.push_back(&table);
  return all;
}

}  // namespace

fs::path report_folder(const fs::path& workspace, const std::string& grid) {
  return workspace / "reports" / grid;
}

std::string report_text(const reports::Report& report, const std::vector<std::string>& wanted,
                        ReportFormat format, bool colour) {
  reports::Report chosen = report;
  chosen.tables = chosen_tables(report, wanted);
  std::string text;
  switch (format) {
    case ReportFormat::kJson:
      return reports::to_json(pointers(chosen.tables));
    case ReportFormat::kLatex:
      return reports::latex_document(pointers(chosen.tables));
    case ReportFormat::kHtml:
      return reports::to_html(chosen);
    case ReportFormat::kMarkdown:
      if (wanted.empty()) return reports::to_markdown(chosen);
      for (const reports::Table& table : chosen.tables) text += reports::to_markdown(table) + "\n";
      return text;
    case ReportFormat::kCsv:
      text = reports::csv_header();
      for (const reports::Table& table : chosen.tables) {
        text += reports::to_csv(table).substr(reports::csv_header().size());
      }
      return text;
    case ReportFormat::kTable:
      break;
  }
  for (const reports::Table& table : chosen.tables) {
    text += "\n" + reports::table_text(table, colour);
  }
  if (wanted.empty()) {
    for (const std::string& why : report.left_out) text += "\n" + why + "\n";
  }
  return text;
}

void write_and_print_report(const fs::path& workspace, const std::string& grid) {
  const reports::Report report =
      reports::make_report(database_file(workspace), {.grids = {grid},
                                                      .workspace = workspace,
                                                      .details = true,
                                                      .tools = program_folder() / "remixer-tools"});
  const fs::path folder = report_folder(workspace, grid);
  reports::write_report(report, folder);
  print(report_text(report, {}, ReportFormat::kTable, use_colour()));
  print(fmt::format("\nThe same as a page: {}\n", fs::absolute(folder / "index.html").string()));
}

void add_report(CommandLine& line) {
  CLI::App* command =
      add_command(line, "report", "Print the tables of grids; missing results show as -",
                  "remixer report imagenet9 imagenet --table 1 --format csv");
  auto options = std::make_shared<ReportOptions>();
  command->add_option("GRID", options->grids,
                      "The grids' names, or numbers of submits [the newest grid]");
  command->add_option("--out", options->out, "Also write all formats and an HTML page there")
      ->type_name("DIR");
  command
      ->add_option("--table", options->tables,
                   "Only this table, a number of the paper's or \"results\"; may be given several "
                   "times. Or a TOML file of your own (docs/reports.md)")
      ->type_name("N|FILE")
      ->expected(1)
      ->take_all();
  command->add_flag(
      "--paper", options->paper,
      "Show the paper's numbers beside yours, if model, training set and labeler are the same");
  command->add_flag("--check", options->check,
                    "Recompute every number from the files of the runs; if some differ, list them "
                    "and exit with 1");
  command
      ->add_option("--extras", options->extras,
                   "Show results that the paper's tables lack: none, rows (more labelers), or all "
                   "(more columns too)")
      ->check(CLI::IsMember({"none", "rows", "all"}))
      ->type_name("WHICH")
      ->capture_default_str();
  std::vector<std::string> names;
  for (const auto& [name, format] : formats()) names.push_back(name);
  command->add_option("--format", options->format, "Output format")
      ->check(CLI::IsMember(names))
      ->type_name("FORMAT")
      ->capture_default_str();
  command->callback(
      [&line, options] { line.chosen = [&line, options] { return report(line, *options); }; });
}

}  // namespace remixer::coordinator::command
