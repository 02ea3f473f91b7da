// SPDX-License-Identifier: Apache-2.0
// `remixer cancel`, `retry` and `rm`: for a task, or for all tasks of a grid.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/error.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/ask/source.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "experiments/protocol/order_answers.h"

namespace remixer::coordinator::command {
namespace {

// Result of posting `verb` for the task or grid that `what` names: its name and the tasks changed.
struct Ordered {
  bool grid = false;
  std::string name;
  int64_t tasks = 0;
};
Ordered post(Session& session, const std::string& what, const char* verb) {
  if (const auto grid = find_grid(session, what)) {
    return {true, grid->name,
            session.order<answers::Changed>(fmt::format("/grids/{}/{}", grid->id, verb)).tasks};
  }
  const answers::TaskSummary task = find_task(tasks_like(session, what), what);
  return {false, task.title,
          session.order<answers::Changed>(fmt::format("/tasks/{}/{}", task.task_id, verb)).tasks};
}

int cancel(const fs::path& workspace, const std::string& what) {
  SessionOrDaemon daemon = open_existing(workspace);
  const Ordered changed = post(daemon.session(), what, "cancel");
  print(fmt::format(
      "Cancelled {}{}: {} task{} taken out, what is done stays; `remixer retry` takes "
      "it up again.\n",
      changed.grid ? "the grid " : "", changed.name, changed.tasks, changed.tasks == 1 ? "" : "s"));
  return kExitDone;
}

int retry(const fs::path& workspace, const std::string& what) {
  SessionOrDaemon daemon = open_existing(workspace);
  const Ordered changed = post(daemon.session(), what, "retry");
  if (changed.tasks == 0) {
    print(
        fmt::format("{}: nothing failed or was cancelled, nothing to try again.\n", changed.name));
    return kExitDone;
  }
  print(fmt::format("{}: {} task{} will be tried again.\n", changed.name, changed.tasks,
                    changed.tasks == 1 ? "" : "s"));
  if (daemon.own() != nullptr) print("No daemon is running: it waits for `remixer up`.\n");
  return kExitDone;
}

// Removing a grid needs confirmation: an answer on a terminal, --yes in a script.
void ask_to_remove(Session& session, const std::string& what) {
  const auto grid = find_grid(session, what);
  if (!grid) return;
  const std::string& name = grid->name;
  if (::isatty(STDIN_FILENO) == 0) {
    fail_input(
        "this would remove the grid {} with its results and files: say --yes (on a "
        "terminal it asks); nothing was removed",
        name);
  }
  std::fprintf(stderr, "Remove the grid %s with its results and files? [y/N] ", name.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "y" && answer != "yes") fail_input("nothing was removed");
}

int remove(const fs::path& workspace, const std::string& what, bool yes) {
  SessionOrDaemon daemon = open_existing(workspace);
  if (!yes) ask_to_remove(daemon.session(), what);
  const Ordered changed = post(daemon.session(), what, "remove");
  print(fmt::format(
      "Removed {}{}: results and files of {} task{} are gone, with what depended on them; "
      "submitted "
      "again they run again.\n",
      changed.grid ? "the grid " : "", changed.name, changed.tasks, changed.tasks == 1 ? "" : "s"));
  return kExitDone;
}

void add_what(CLI::App* command, std::string& what) {
  command
      ->add_option(
          "TASK|GRID", what,
          "A grid's name or number, or a task: the beginning of its id or a part of its title")
      ->required();
}

using Act = int (*)(const fs::path&, const std::string&);

void add(CommandLine& line, const char* name, const char* description, const char* example,
         Act act) {
  CLI::App* command = add_command(line, name, description, example);
  auto what = std::make_shared<std::string>();
  add_what(command, *what);
  command->callback([&line, what, act] {
    line.chosen = [&line, what, act] { return act(line.workspace, *what); };
  });
}

}  // namespace

void add_cancel(CommandLine& line) {
  add(line, "cancel", "Cancel a task or a grid; tasks that other grids need continue",
      "remixer cancel quickstart", cancel);
}

void add_retry(CommandLine& line) {
  add(line, "retry", "Retry a failed or cancelled task, or all of a grid",
      "remixer retry quickstart", retry);
}

void add_rm(CommandLine& line) {
  CLI::App* command = add_command(
      line, "rm",
      "Remove a task or a grid with its results and files; if submitted again, it runs again",
      "remixer rm quickstart");
  auto what = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  add_what(command, *what);
  command->add_flag("--yes,-y", *yes, "Do not ask for confirmation");
  command->callback([&line, what, yes] {
    line.chosen = [&line, what, yes] { return remove(line.workspace, *what, *yes); };
  });
}

}  // namespace remixer::coordinator::command
