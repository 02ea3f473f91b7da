// SPDX-License-Identifier: Apache-2.0
// `remixer pause`, `resume` and `limit`: control how a grid's tasks are given out.
#include <fmt/format.h>

#include "base/error.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/ask/source.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "experiments/protocol/messages.h"
#include "experiments/protocol/order_answers.h"

namespace remixer::coordinator::command {
namespace {

answers::Grid named_grid(Session& session, const std::string& what) {
  return require_grid(session.ask<answers::GridList>("/grids").grids, what);
}

// Returns the number of tasks changed.
int64_t post(Session& session, const answers::Grid& grid, const char* verb, const Json& body) {
  return session.order<answers::Changed>(fmt::format("/grids/{}/{}", grid.id, verb), body).tasks;
}

int pause(const fs::path& workspace, const std::string& what, bool now) {
  SessionOrDaemon daemon = open_existing(workspace);
  const answers::Grid grid = named_grid(daemon.session(), what);
  const int64_t running = post(daemon.session(), grid, "pause", {{"now", now}});
  std::string rest = "nothing of it runs";
  if (running > 0) {
    rest =
        fmt::format("{} running task{} {}", running, running == 1 ? "" : "s",
                    now ? "checkpoint and stop" : "continue to their end (--now would stop them)");
  }
  print(fmt::format("Paused {}: {}; `remixer resume {}` continues it.\n", grid.name, rest, what));
  return kExitDone;
}

int resume(const fs::path& workspace, const std::string& what) {
  SessionOrDaemon daemon = open_existing(workspace);
  const answers::Grid grid = named_grid(daemon.session(), what);
  post(daemon.session(), grid, "resume", Json::object());
  print(fmt::format("{} continues.\n", grid.name));
  if (daemon.own() != nullptr) print("No daemon is running: it waits for `remixer up`.\n");
  return kExitDone;
}

struct Limits {
  std::optional<int64_t> priority, max_running, ranks, gpus;
};

int limit(const fs::path& workspace, const std::string& what, const Limits& limits) {
  SessionOrDaemon daemon = open_existing(workspace);
  const answers::Grid grid = named_grid(daemon.session(), what);
  experiments::protocol::GridSettings settings = grid.settings;
  if (limits.priority) settings.priority = *limits.priority;
  if (limits.max_running) settings.max_running = *limits.max_running;
  if (limits.ranks) settings.ranks = *limits.ranks;
  if (limits.gpus) settings.gpus = *limits.gpus;
  post(daemon.session(), grid, "settings", experiments::protocol::to_json(settings));
  const auto number = [](int64_t value) {
    return value == 0 ? std::string("no limit") : std::to_string(value);
  };
  print(fmt::format("{}: priority {}; tasks at once: {}; training needs ranks: {}, GPUs: {}\n",
                    grid.name, settings.priority, number(settings.max_running),
                    number(settings.ranks), number(settings.gpus)));
  return kExitDone;
}

std::shared_ptr<std::string> add_grid_argument(CLI::App* command) {
  auto what = std::make_shared<std::string>();
  command->add_option("GRID", *what, "A grid's name or number")->required();
  return what;
}

void add_count(CLI::App* command, const char* name, std::optional<int64_t>& value,
               const char* description) {
  command->add_option(name, value, description)->check(CLI::Range(0, 1000000))->type_name("N");
}

}  // namespace

void add_pause(CommandLine& line) {
  CLI::App* command = add_command(line, "pause", "Start no more tasks of a grid for now",
                                  "remixer pause quickstart --now");
  const auto what = add_grid_argument(command);
  auto now = std::make_shared<bool>(false);
  command->add_flag("--now", *now, "Also stop its running tasks, with checkpoints");
  command->callback([&line, what, now] {
    line.chosen = [&line, what, now] { return pause(line.workspace, *what, *now); };
  });
}

void add_resume(CommandLine& line) {
  CLI::App* command =
      add_command(line, "resume", "Resume a paused grid", "remixer resume quickstart");
  const auto what = add_grid_argument(command);
  command->callback(
      [&line, what] { line.chosen = [&line, what] { return resume(line.workspace, *what); }; });
}

void add_limit(CommandLine& line) {
  CLI::App* command =
      add_command(line, "limit",
                  "Set a grid's priority, how many of its tasks run at once, and on which workers",
                  "remixer limit table1 --priority 10 --max-running 4 --ranks 4");
  const auto what = add_grid_argument(command);
  auto limits = std::make_shared<Limits>();
  command
      ->add_option("--priority", limits->priority,
                   "Grids with a higher priority run first; equal ones take turns (0)")
      ->type_name("N");
  add_count(command, "--max-running", limits->max_running,
            "Tasks that may run at once; 0: no limit");
  add_count(command, "--ranks", limits->ranks,
            "Train only on workers with at least this many ranks; 0: any");
  add_count(command, "--gpus", limits->gpus,
            "Train only on workers with at least this many GPUs; 0: any");
  command->callback([&line, what, limits] {
    line.chosen = [&line, what, limits] { return limit(line.workspace, *what, *limits); };
  });
}

}  // namespace remixer::coordinator::command
