// SPDX-License-Identifier: Apache-2.0
// `remixer status`: grids, running and failed tasks; cells of one grid; all tasks.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
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
Table grid_table(const std::vector<answers::Grid>& grids, const char* time_left = "time_left") {
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
  for (const answers::Grid& grid : grids) {
    const answers::TaskCounts& states = grid.states;
    table.add_row({grid.id, grid.name, grid.state, grid.cells, grid.cells_done, grid.tasks,
                   states.done, states.running, states.waiting + states.ready, states.failed,
                   states.blocked, or_missing(grid.seconds_left)});
  }
  return table;
}

Table running_table(const std::vector<answers::Running>& running) {
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
  for (const answers::Running& attempt : running) {
    const auto whole = [&](const char* name) {
      const auto value = attempt.metric(name);
      return value ? Json(std::llround(*value)) : Json();
    };
    table.add_row({attempt.task_id.substr(0, kShortId), attempt.title, attempt.step,
                   attempt.total_steps, or_missing(attempt.metric("loss")),
                   whole("images_per_second"), whole("system.cpu_percent"),
                   whole("system.gpu_percent"), whole("system.loader_stall_percent"),
                   attempt.seconds, or_missing(attempt.seconds_left), attempt.worker});
  }
  return table;
}

Table cell_table(const answers::GridDetail& grid) {
  const std::vector<std::string> sets = eval_sets_of(grid.cell_list);
  std::vector<Column> columns{{"cell"}, {"model"}, {"labels"}, {"seed"}, {"state"}};
  for (const std::string& set : sets) columns.push_back({set, Show::kFixed1});
  Table table(columns);
  for (const answers::Cell& cell : grid.cell_list) {
    std::vector<Json> row{cell.cell_id.substr(0, kShortId), model_text(cell), cell.labeler,
                          cell.seed, cell.state};
    for (const std::string& set : sets) row.push_back(or_missing(top1(cell, set)));
    table.add_row(row);
  }
  return table;
}

Table task_table(const std::vector<answers::TaskSummary>& tasks) {
  Table table({{"task"}, {"kind"}, {"state"}, {"title"}, {"reason"}});
  for (const answers::TaskSummary& task : tasks) {
    table.add_row({task.task_id.substr(0, kShortId), task.kind, task.state, task.title,
                   or_missing(task.reason)});
  }
  return table;
}

std::string workers_line(const answers::Status& status) {
  size_t idle = 0, running = 0, silent = 0;
  for (const answers::Worker& worker : status.workers) {
    ++(worker.state == "running" ? running : worker.state == "idle" ? idle : silent);
  }
  std::string line = fmt::format("Workers: {} at work, {} idle", running, idle);
  if (silent > 0) line += fmt::format(", {} silent", silent);
  if (status.launcher && status.launcher->problem) {
    line += "; they do not start: " + *status.launcher->problem;
  }
  if (status.slurm && status.slurm->wanted) {
    const answers::Slurm& slurm = *status.slurm;
    const auto& why = slurm.paused ? slurm.paused : slurm.problem ? slurm.problem : slurm.why;
    if (why) line += "\nSlurm: " + *why;
  }
  return line + "\n";
}

// Who works on the grids.
std::string workers_text(const Source& source, const answers::Status& status,
                         const fs::path& workspace) {
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
std::string overview(const Source& source, const answers::Status& status, const fs::path& workspace,
                     size_t width, bool colour) {
  std::string text;
  const std::vector<answers::FailedTask>& failures = status.failures;
  for (size_t i = 0; i < std::min(failures.size(), kShownFailures); ++i) {
    text += coloured(failed_line(failures[i], workspace.string()), Colour::kRed, colour) + "\n";
  }
  if (failures.size() > kShownFailures) {
    text += fmt::format("and {} more failed tasks: `remixer status --tasks` lists them\n",
                        failures.size() - kShownFailures);
  }
  if (!text.empty()) text += "\n";
  text +=
      status.grids.empty() ? "No grid was submitted yet.\n" : grid_table(status.grids).text(width);
  if (!status.running.empty()) text += "\n" + running_table(status.running).text(width);
  return text + "\n" + workers_text(source, status, workspace);
}

// The cells of the newest active grid.
std::string matrix_of(Source& source, const answers::Status& status, size_t width) {
  if (!source.has_daemon()) return "";
  for (const answers::Grid& grid : status.grids) {
    if (grid.state != "running") continue;
    const auto matrix =
        source.session().ask<answers::Matrix>(fmt::format("/grids/{}/matrix", grid.id));
    const std::string set = usual_eval_set(matrix);
    return fmt::format("\nCells of {}{}\n{}", grid.name, set.empty() ? "" : ": top-1 on " + set,
                       matrix_text(matrix, set, width));
  }
  return "";
}

// A table shows one page; programs get all tasks, or all from `after` on.
std::string task_text(Source& source, const std::string& grid, const CommandLine& line,
                      const StatusOptions& options, size_t width) {
  answers::TaskList page = source.tasks_page(grid, options.after);
  std::vector<answers::TaskSummary> tasks = std::move(page.tasks);
  while (line.format != Format::kTable && page.next) {
    page = source.tasks_page(grid, *page.next);
    std::move(page.tasks.begin(), page.tasks.end(), std::back_inserter(tasks));
  }
  if (line.format == Format::kJson) {
    Json list = Json::array();
    for (const answers::TaskSummary& task : tasks) list.push_back(to_json(task));
    return list.dump(1) + "\n";
  }
  std::string text = task_table(tasks).as(line.format, width);
  if (page.next) {
    text += fmt::format("There are more: `remixer status {}--tasks --after {}` continues\n",
                        grid.empty() ? "" : grid + " ", *page.next);
  }
  return text;
}

std::string grid_text(const answers::GridDetail& grid, const CommandLine& line, size_t width) {
  if (line.format == Format::kJson) {
    Json json = to_json(grid);
    json.erase("next");  // it is whole
    return json.dump(1) + "\n";
  }
  if (line.format == Format::kCsv) return cell_table(grid).csv();
  return grid_table({grid}).text(width) + "\n" + cell_table(grid).text(width);
}

std::string status_text(Source& source, const CommandLine& line, const StatusOptions& options,
                        size_t width, bool colour) {
  std::optional<answers::Grid> grid;
  if (!options.grid.empty()) grid = require_grid(source.grids(), options.grid);
  if (options.tasks) {
    return task_text(source, grid ? std::to_string(grid->id) : "", line, options, width);
  }
  if (grid) return grid_text(source.grid(grid->id), line, width);
  const answers::Status status = source.status();
  if (line.format == Format::kJson) return to_json(status).dump(1) + "\n";
  if (line.format == Format::kCsv) return grid_table(status.grids, "to_go").csv();
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
      const answers::Status status = source.status();
      if (!news) {
        print(overview(source, status, line.workspace, 0, false));
        news.emplace(status, 0);
      }
      const NewEvents::Events events = news->next(status);
      for (const auto& task : events.finished) print(finished_line(task) + "\n");
      for (const auto& task : events.failed) {
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
