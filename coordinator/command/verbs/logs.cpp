// SPDX-License-Identifier: Apache-2.0
// `remixer logs`: prints the log of a task's newest attempt.
#include <fmt/format.h>

#include <fstream>

#include "base/clock.h"
#include "base/error.h"
#include "coordinator/command/ask/log_file.h"
#include "coordinator/command/ask/source.h"
#include "coordinator/command/ask/stop_signal.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"

namespace remixer::coordinator::command {
namespace {

constexpr double kFollowSeconds = 0.3;
constexpr double kStateSeconds = 2;  // interval of checks whether the task has ended

struct LogOptions {
  std::string task;
  bool follow = false;
};

bool has_ended(const fs::path& workspace, const std::string& task_id) {
  Source source(workspace);
  try {
    // By id: this request is repeated, and a search would look at every task.
    const std::string state =
        source.has_daemon() ? source.session().ask<answers::TaskDetail>("/tasks/" + task_id).state
                            : source.task(task_id).state;
    return state == "done" || state == "failed" || state == "cancelled" || state == "blocked";
  } catch (const experiments::protocol::Refused& refused) {
    if (refused.status != 404) throw;
  } catch (const InputError&) {
  }
  return true;  // the task was removed
}

// Prints until the task has ended, or until Ctrl-C.
void follow(const fs::path& workspace, const std::string& task_id, LogReader& log) {
  const StopSignal stop;
  double next_look = system_clock().monotonic();
  while (stop.count() == 0) {
    bool ended = false;
    if (system_clock().monotonic() >= next_look) {
      ended = has_ended(workspace, task_id);
      next_look = system_clock().monotonic() + kStateSeconds;
    }
    // Read after checking the state, so that the last line is not missed.
    print(log.next());
    if (ended) return;
    stop.wait(kFollowSeconds);
  }
}

int logs(const CommandLine& line, const LogOptions& options) {
  const answers::TaskSummary task = Source(line.workspace).task(options.task);
  const std::string& id = task.task_id;
  LogReader log(line.workspace, id);
  print(log.next());
  if (options.follow) {
    follow(line.workspace, id, log);
  } else if (log.file().empty()) {
    fail("'{}' has no log: no attempt at it was begun, or its folder was removed (it is {})",
         task.title, task.state);
  }
  return kExitDone;
}

}  // namespace

void add_logs(CommandLine& line) {
  CLI::App* command = add_command(line, "logs", "Print the log of a task's newest attempt",
                                  "remixer logs \"train deit_nano\" -f");
  auto options = std::make_shared<LogOptions>();
  command->add_option("TASK", options->task, "The beginning of a task's id, or a part of its title")
      ->required();
  command->add_flag("-f,--follow", options->follow,
                    "Follow the log until the task ends, or Ctrl-C");
  command->callback(
      [&line, options] { line.chosen = [&line, options] { return logs(line, *options); }; });
}

}  // namespace remixer::coordinator::command
