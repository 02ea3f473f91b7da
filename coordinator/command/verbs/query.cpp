// SPDX-License-Identifier: Apache-2.0
// `remixer query`: selects figures by filters, or runs any SQL query.
#include "base/error.h"
#include "coordinator/command/ask/query_database.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/daemon/workspace.h"

namespace remixer::coordinator::command {
namespace {

struct QueryOptions {
  std::vector<std::string> words;  // filters, or one SELECT
  ResultFilter filter;
  QueryLimits limits;
};

std::string sql_of(const QueryOptions& options, const fs::path& file,
                   std::vector<std::string>& values) {
  ResultFilter filter = options.filter;
  std::string sql;
  for (const std::string& word : options.words) {
    if (add_filter(filter, word)) continue;
    if (!sql.empty()) {
      fail_input("'{}' and '{}' are two queries; put SQL in quotes", sql, word);
    }
    sql = word;
  }
  if (sql.empty()) {
    check_filter(file, filter);
    return filter_sql(filter, values);
  }
  if (!filter_sql(filter, values).empty() && !values.empty()) {
    fail_input("give filters or SQL, not both; SQL has WHERE");
  }
  return sql;
}

int query(const CommandLine& line, const QueryOptions& options) {
  const fs::path file = database_file(line.workspace);
  std::vector<std::string> values;
  const std::string sql = sql_of(options, file, values);
  const Table table = query_database(file, sql, values, options.limits);
  print(table.as(line.format, terminal_width()));
  return kExitDone;
}

}  // namespace

void add_query(CommandLine& line) {
  CLI::App* command = add_command(
      line, "query",
      "Print results, or the answer to an SQL SELECT on the views results, runs, metrics, ...",
      "remixer query architecture=deit_nano_patch4_32 eval_set=mixed_rand --format csv\n"
      "  remixer query \"SELECT kind, count(*) FROM runs GROUP BY kind\"");
  auto options = std::make_shared<QueryOptions>();
  command->add_option("QUESTION", options->words,
                      "Filters such as labeler=saliency,relabel, or one SELECT in quotes; the "
                      "database is opened read-only");
  const auto filter = [&](const char* name, std::vector<std::string>& values, const char* what) {
    command->add_option(name, values, what)->expected(1)->take_all();
  };
  filter("--architecture", options->filter.architecture, "Only this architecture (repeatable)");
  filter("--spatial-prior", options->filter.spatial_prior, "Only none or convit");
  filter("--labeler", options->filter.labeler, "Only this labeler (repeatable)");
  filter("--train-set", options->filter.train_set, "Only models trained on this data set");
  filter("--recipe", options->filter.recipe, "Only models trained with this recipe");
  filter("--seed", options->filter.seed, "Only this seed (repeatable)");
  filter("--eval-set", options->filter.eval_set, "Only this evaluation set (repeatable)");
  filter("--metric", options->filter.metric, "Only this metric, for example top1");
  filter("--weights", options->filter.weights, "Only raw, ema or best");
  command->add_option("--grid", options->filter.grid, "Only cells of the grid of this name");
  command->add_option("--max-rows", options->limits.rows, "Largest number of rows in an answer")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--timeout", options->limits.seconds, "Time limit in seconds")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  add_format(line, command);
  command->callback(
      [&line, options] { line.chosen = [&line, options] { return query(line, *options); }; });
}

}  // namespace remixer::coordinator::command
