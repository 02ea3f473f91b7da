// SPDX-License-Identifier: Apache-2.0
// `remixer run`: daemon, workers, progress and tables in one command.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/ask/stop_signal.h"
#include "coordinator/command/show/progress.h"
#include "coordinator/command/show/report_output.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/command/verbs/dashboard_reports.h"
#include "coordinator/command/verbs/plan.h"
#include "coordinator/command/verbs/submit.h"
#include "coordinator/daemon/workspace.h"
#include "experiments/grid/grid.h"
#include "experiments/spec/task_spec.h"

namespace remixer::coordinator::command {
namespace {

using experiments::protocol::GridSubmitted;

struct RunOptions {
  fs::path file;
  WorkerOptions workers;
  bool keep_going = true;
};

std::vector<std::string> grid_eval_sets(const experiments::Grid& grid) {
  std::vector<std::string> sets;
  for (const experiments::Task& task : grid.tasks) {
    if (task.kind != experiments::TaskKind::kEvaluate) continue;
    const std::string set = experiments::evaluate_spec(task.spec).set.name;
    if (std::find(sets.begin(), sets.end(), set) == sets.end()) sets.push_back(set);
  }
  return sets;
}

// One run of the command.
class Run {
 public:
  Run(const CommandLine& line, const RunOptions& options)
      : workspace_(line.workspace),
        options_(options),
        grid_(read_ready_grid(options.file, line.workspace)) {}

  int run() {
    DaemonOptions daemon_options;
    daemon_options.workspace = workspace_;
    options_.workers.apply(daemon_options);
    daemon_options.reports = dashboard_reports(workspace_);
    SessionOrDaemon daemon(daemon_options);
    if (stop_.count() > 0) return kExitInterrupted;
    const GridSubmitted submitted = submit_grid(daemon.session(), grid_);
    print(submitted_text(grid_.name, submitted) + "\n" +
          recipes_text(experiments::recipe_lines(grid_)));
    if (submitted.tasks_queued + submitted.tasks_underway == 0) {
      report();
      return kExitDone;
    }
    start(daemon, submitted);
    const WatchResult result = watch(daemon, submitted);
    switch (result.end) {
      case WatchEnd::kInterrupted:
        return interrupted(daemon);
      case WatchEnd::kDaemonEnded:
        fail("the daemon was told to end (`remixer down`); to continue: {}", how_to_continue());
      case WatchEnd::kNoWorkers:
        fail("the workers do not start: {}", result.problem);
      case WatchEnd::kTaskFailed:
        return stop_after_failure(daemon);
      case WatchEnd::kGridEnded:
        break;
    }
    if (result.grid.state != "done") fail_incomplete(daemon, submitted, result.grid);
    print(fmt::format("{}: all {} cells are done.\n", grid_.name, submitted.cells));
    report();
    return kExitDone;
  }

 private:
  // Starts workers if the daemon is our own; reports its other pending work.
  void start(SessionOrDaemon& daemon, const GridSubmitted& submitted) {
    if (daemon.own() == nullptr) {
      print(
          fmt::format("The daemon of {} is at work already: its workers do this; Ctrl-C ends only "
                      "this display.\n",
                      workspace_.string()));
      return;
    }
    for (const answers::Grid& other : daemon.session().ask<answers::GridList>("/grids").grids) {
      if (other.id == submitted.grid_id || other.state != "running") continue;
      print(
          fmt::format("The grid {} of before is unfinished and continues as well; `remixer cancel "
                      "{}` would take it out.\n",
                      other.name, other.id));
    }
    const WorkerCount count = options_.workers.count(worker_choice(grid_));
    daemon.own()->start_workers(count.workers, count.ranks);
  }

  WatchResult watch(SessionOrDaemon& daemon, const GridSubmitted& submitted) {
    Progress progress(daemon.session(), submitted.grid_id, grid_eval_sets(grid_),
                      workspace_.string());
    const WatchOptions options{.stop_at_failure = !options_.keep_going, .own = daemon.own()};
    WatchResult result =
        watch_grid(daemon.session(), workspace_, submitted.grid_id, progress, stop_, options);
    progress.end();
    return result;
  }

  std::string how_to_continue() const {
    return fmt::format("remixer run {}{}", options_.file.string(),
                       workspace_ == "workspace" ? "" : " --workspace " + workspace_.string());
  }

  // Lets the workers write their checkpoints, unless there is a second Ctrl-C.
  void stop_own(Daemon& daemon, const char* why) {
    print(fmt::format("{}: the workers write their checkpoints (Ctrl-C ends at once).\n", why));
    const int seen = stop_.count();
    daemon.stop();
    while (!daemon.wait_for(0.1)) {
      if (stop_.count() > seen) daemon.stop_now();
    }
  }

  int interrupted(SessionOrDaemon& daemon) {
    if (daemon.own() == nullptr) {
      print(fmt::format(
          "The daemon continues; `remixer status --watch` shows it, `remixer cancel {}` stops the "
          "grid.\n",
          grid_.name));
      return kExitInterrupted;
    }
    stop_own(*daemon.own(), "Stopping");
    print(fmt::format("Stopped; to continue: {}\n", how_to_continue()));
    return kExitInterrupted;
  }

  int stop_after_failure(SessionOrDaemon& daemon) {
    if (daemon.own() != nullptr) stop_own(*daemon.own(), "Stopping after a failure");
    print(fmt::format("To continue with the rest: {}\n", how_to_continue()));
    return kExitFailure;
  }

  // Prints the report, then the failures, so that they are visible below the tables.
  [[noreturn]] void fail_incomplete(SessionOrDaemon& daemon, const GridSubmitted& submitted,
                                    const answers::Grid& grid) {
    report();
    const std::vector<answers::TaskSummary> tasks =
        daemon.session()
            .ask_whole<answers::TaskList>(
                fmt::format("/tasks?grid={}&state=failed", submitted.grid_id), "tasks")
            .tasks;
    print("\n");
    for (const answers::TaskSummary& task : tasks) {
      answers::FailedTask failed;
      failed.title = task.title;
      failed.reason = task.reason.value_or("");
      if (task.folder) failed.log = *task.folder + "/log.txt";
      print(failed_line(failed, workspace_.string()) + "\n");
    }
    const std::string outcome =
        fmt::format("{}: {} of {} cells are done, {} task{} failed{}", grid_.name, grid.cells_done,
                    submitted.cells, tasks.size(), tasks.size() == 1 ? "" : "s",
                    grid.state == "cancelled" ? " and it was cancelled" : "");
    const bool bad_input =
        !tasks.empty() &&
        std::all_of(tasks.begin(), tasks.end(), [](const auto& task) { return task.hopeless; });
    if (bad_input) {
      fail_input("{}: {}; mend that, then: {}", outcome, tasks[0].reason.value_or(""),
                 how_to_continue());
    }
    fail("{}; to try again what is not done: {}", outcome, how_to_continue());
  }

  void report() { write_and_print_report(workspace_, grid_.name); }

  const StopSignal stop_;
  fs::path workspace_;
  RunOptions options_;
  experiments::Grid grid_;
};

}  // namespace

void add_run(CommandLine& line) {
  CLI::App* command = add_command(line, "run",
                                  "Run a grid on this machine, from data to tables; Ctrl-C stops "
                                  "it, the same command continues",
                                  "remixer run experiments/quickstart.toml --ranks 2");
  auto options = std::make_shared<RunOptions>();
  command->add_option("GRID", options->file, "The grid file")->required()->type_name("FILE");
  options->workers.add_to(command);
  command->add_flag(
      "--keep-going,!--stop-at-failure", options->keep_going,
      "After a failed task, continue with everything that does not depend on it (the default)");
  command->callback(
      [&line, options] { line.chosen = [&line, options] { return Run(line, *options).run(); }; });
}

}  // namespace remixer::coordinator::command
