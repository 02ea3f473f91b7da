// SPDX-License-Identifier: Apache-2.0
// `remixer status`: grids, running and failed tasks; cells of one grid; all tasks.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "coordinator/command/ask/source.h"
#include "coordinator/command/ask/stop_signal.h"
#include "coordinator/command/show/cell_rows.h"
#include "coordinator/command/show/matrix_text.h"
#include "coordinator/command/show/progress_text.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"

namespace remixer::coordinator::command {
namespace {

constexpr size_t kShownFailures = 5;
constexpr size_t kShortId = 12;

struct StatusOptions {
  std::string grid;
  bool watch = false;
  bool tasks = false;
  int64_t after = 0;  // start of the task listing
};

// `time_left`: the last column's name. Programs that read CSV know it as "to_go".
Table grid_table(const Json& grids, const char* time_left = "time_left") {
  Table table({{"id"},
               {"grid"},
               {"state"},
               {"cells"},
               {"cells_done"},
               {"tasks"},
               {"done"},
               {"running"},
               {"to_do"},
               {"failed"},
               {"blocked"},
               {time_left, Show::kDuration}});
  for (const Json& grid : grids) {
    const Json& states = grid.at("states");
    table.add_row({grid.at("id"), grid.at("name"), grid.at("state"), grid.at("cells"),
                   grid.at("cells_done"), grid.at("tasks"), states.at("done"), states.at("running"),
                   states.at("waiting").get<int64_t>() + states.at("ready").get<int64_t>(),
                   states.at("failed"), states.at("blocked"), grid.value("seconds_left", Json())});
  }
  return table;
}

// A metric rounded to an integer; missing if there is no such metric.
Json whole(const Json& metrics, const char* name) {
  const auto found = metrics.find(name);
  return found != metrics.end() && found->is_number() ? Json(std::llround(found->get<double>()))
                                                      : Json();
}

Table running_table(const Json& running) {
  Table table({{"task"},
               {"title"},
               {"step"},
               {"of"},
               {"loss"},
               {"images_per_s"},
               {"cpu_%"},
               {"gpu_%"},
               {"waits_for_data_%"},
               {"so_far", Show::kDuration},
               {"time_left", Show::kDuration},
               {"worker"}});
  for (const Json& attempt : running) {
    const Json metrics = attempt.value("metrics", Json::object());
    table.add_row({attempt.at("task_id").get<std::string>().substr(0, kShortId),
                   attempt.at("title"), attempt.value("step", Json()),
                   attempt.value("total_steps", Json()), metrics.value("loss", Json()),
                   whole(metrics, "images_per_second"), whole(metrics, "system.cpu_percent"),
                   whole(metrics, "system.gpu_percent"),
                   whole(metrics, "system.loader_stall_percent"), attempt.value("seconds", Json()),
                   attempt.value("seconds_left", Json()), attempt.value("worker", Json())});
  }
  return table;
}

Table cell_table(const Json& grid) {
  const std::vector<std::string> sets = eval_sets_of(grid.at("cell_list"));
  std::vector<Column> columns{{"cell"}, {"model"}, {"labels"}, {"seed"}, {"state"}};
  for (const std::string& set : sets) columns.push_back({set, Show::kFixed1});
  Table table(columns);
  for (const Json& cell : grid.at("cell_list")) {
    std::vector<Json> row{cell.at("cell_id").get<std::string>().substr(0, kShortId),
                          model_text(cell), cell.at("labeler"), cell.at("seed"), cell.at("state")};
    for (const std::string& set : sets) {
      Json value;
      for (const Json& figure : cell.at("figures")) {
        if (figure.at("eval_set") == set && figure.at("metric") == "top1" &&
            figure.at("weights") == "raw") {
          value = figure.at("value");
        }
      }
      row.push_back(value);
    }
    table.add_row(row);
  }
  return table;
}

Table task_table(const Json& tasks) {
  Table table({{"task"}, {"kind"}, {"state"}, {"title"}, {"reason"}});
  for (const Json& task : tasks) {
    table.add_row({task.at("task_id").get<std::string>().substr(0, kShortId), task.at("kind"),
                   task.at("state"), task.at("title"), task.value("reason", Json())});
  }
  return table;
}

std::string workers_line(const Json& status) {
  size_t idle = 0, running = 0, silent = 0;
  for (const Json& worker : status.at("workers")) {
    const auto state = worker.value("state", "");
    ++(state == "running" ? running : state == "idle" ? idle : silent);
  }
  std::string line = fmt::format("Workers: {} at work, {} idle", running, idle);
  if (silent > 0) line += fmt::format(", {} silent", silent);
  const Json stopped = status.value("launcher", Json::object()).value("problem", Json());
  if (stopped.is_string()) line += "; they do not start: " + stopped.get<std::string>();
  const Json slurm = status.value("slurm", Json::object());
  if (slurm.value("wanted", false)) {
    const Json trouble = slurm.value("paused", Json()), problem = slurm.value("problem", Json());
    const Json why = trouble.is_string() ? trouble : problem.is_string() ? problem : slurm["why"];
    if (why.is_string()) line += "\nSlurm: " + why.get<std::string>();
  }
  return line + "\n";
}

// Who works on the grids.
std::string workers_text(const Source& source, const Json& status, const fs::path& workspace) {
  if (source.has_daemon()) return workers_line(status);
  if (!source.is_export()) {
    return "No daemon is running; `remixer up` or `remixer run` continues.\n";
  }
  return fmt::format(
      "This is an export, to be read (`remixer report -w {0}`, `remixer query -w {0} SQL`); "
      "nothing can be run in it.\n",
      workspace.string());
}

// Overview, failures first.
std::string overview(const Source& source, const Json& status, const fs::path& workspace,
                     size_t width, bool colour) {
  std::string text;
  const Json& failures = status.at("failures");
  for (size_t i = 0; i < std::min(failures.size(), kShownFailures); ++i) {
    text += coloured(failed_line(failures[i], workspace.string()), Colour::kRed, colour) + "\n";
  }
  if (failures.size() > kShownFailures) {
    text += fmt::format("and {} more failed tasks: `remixer status --tasks` lists them\n",
                        failures.size() - kShownFailures);
  }
  if (!text.empty()) text += "\n";
  text += status.at("grids").empty() ? "No grid was submitted yet.\n"
                                     : grid_table(status.at("grids")).text(width);
  if (!status.at("running").empty()) text += "\n" + running_table(status.at("running")).text(width);
  return text + "\n" + workers_text(source, status, workspace);
}

// The cells of the newest active grid.
std::string matrix_of(Source& source, const Json& status, size_t width) {
  if (!source.has_daemon()) return "";
  for (const Json& grid : status.at("grids")) {
    if (grid.at("state") != "running") continue;
    const Json matrix =
        source.session().get(fmt::format("/grids/{}/matrix", grid.at("id").get<int64_t>()));
    const std::string set = usual_eval_set(matrix);
    return fmt::format("\nCells of {}{}\n{}", grid.at("name").get<std::string>(),
                       set.empty() ? "" : ": top-1 on " + set, matrix_text(matrix, set, width));
  }
  return "";
}

// A table shows one page; programs get all tasks, or all from `after` on.
std::string task_text(Source& source, const std::string& grid, const CommandLine& line,
                      const StatusOptions& options, size_t width) {
  Json page = source.tasks_page(grid, options.after);
  Json tasks = std::move(page.at("tasks"));
  Json next = page.at("next");
  while (line.format != Format::kTable && next.is_number()) {
    page = source.tasks_page(grid, next.get<int64_t>());
    for (Json& task : page.at("tasks")) tasks.push_back(std::move(task));
    next = page.at("next");
  }
  if (line.format == Format::kJson) return tasks.dump(1) + "\n";
  std::string text = task_table(tasks).as(line.format, width);
  if (next.is_number()) {
    text += fmt::format("There are more: `remixer status {}--tasks --after {}` continues\n",
                        grid.empty() ? "" : grid + " ", next.get<int64_t>());
  }
  return text;
}

std::string status_text(Source& source, const CommandLine& line, const StatusOptions& options,
                        size_t width, bool colour) {
  Json grid;
  if (!options.grid.empty()) {
    grid = find_grid(source.grids(), options.grid);
    if (grid.is_null()) {
      fail_input("no grid is called '{}': `remixer status` lists them", options.grid);
    }
  }
  if (options.tasks) {
    return task_text(source, grid.is_null() ? "" : grid.at("id").dump(), line, options, width);
  }
  if (!grid.is_null()) {
    grid = source.grid(grid.at("id"));
    if (line.format == Format::kJson) return grid.dump(1) + "\n";
    if (line.format == Format::kCsv) return cell_table(grid).csv();
    return grid_table(Json::array({grid})).text(width) + "\n" + cell_table(grid).text(width);
  }
  const Json status = source.status();
  if (line.format == Format::kJson) return status.dump(1) + "\n";
  if (line.format == Format::kCsv) return grid_table(status.at("grids"), "to_go").csv();
  std::string text = overview(source, status, line.workspace, width, colour);
  if (options.watch) text += matrix_of(source, status, width);
  return text;
}

// The lines of the text that fit the terminal's height and width: a redrawn block must not wrap or
// scroll.
std::vector<std::string> lines_that_fit(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size() && lines.size() + 1 < terminal_height();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(shortened(std::string_view(text).substr(at, end - at), terminal_width() - 1));
    at = end + 1;
  }
  return lines;
}

// Each second: redraws in place on a terminal; in a pipe, prints a line whenever a task has ended.
int watch(const CommandLine& line, const StatusOptions& options) {
  const StopSignal stop;
  LiveBlock block;
  std::optional<NewEvents> news;
  while (stop.count() == 0) {
    Source source(line.workspace);
    if (on_terminal()) {
      block.draw(lines_that_fit(status_text(source, line, options, terminal_width() - 1, false)));
    } else {
      const Json status = source.status();
      if (!news) {
        print(overview(source, status, line.workspace, 0, false));
        news.emplace(status, 0);
      }
      const NewEvents::Events events = news->next(status);
      for (const Json& task : events.finished) print(finished_line(task) + "\n");
      for (const Json& task : events.failed) {
        print(failed_line(task, line.workspace.string()) + "\n");
      }
    }
    stop.wait(1);
  }
  return kExitInterrupted;
}

int status(const CommandLine& line, const StatusOptions& options) {
  if (options.watch) return watch(line, options);
  Source source(line.workspace);
  print(status_text(source, line, options, terminal_width(), use_colour()));
  return kExitDone;
}

}  // namespace

void add_status(CommandLine& line) {
  CLI::App* command = add_command(
      line, "status", "Show grids, what is running and what failed; or one grid's cells",
      "remixer status --watch");
  auto options = std::make_shared<StatusOptions>();
  command->add_option("GRID", options->grid, "Show this grid's cells and their accuracies");
  command->add_flag("--watch", options->watch, "Refresh every second, until Ctrl-C");
  command->add_flag("--tasks", options->tasks, "List tasks (of the grid) with their states");
  command->add_option("--after", options->after, "With --tasks: begin after so many")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  add_format(line, command);
  command->callback(
      [&line, options] { line.chosen = [&line, options] { return status(line, *options); }; });
}

}  // namespace remixer::coordinator::command
