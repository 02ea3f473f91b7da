// SPDX-License-Identifier: Apache-2.0
// `remixer explain`: why a task is not running, or how it ended.
#include <fmt/format.h>

#include "base/error.h"
#include "coordinator/command/ask/source.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"

namespace remixer::coordinator::command {
namespace {

std::string attempts_text(const answers::TaskDetail& task, const fs::path& workspace) {
  std::string text;
  for (const answers::Attempt& attempt : task.attempts) {
    text += fmt::format("  attempt {}: {}", attempt.attempt, attempt.state);
    if (attempt.state != "done" && attempt.total_steps > 0) {
      text += fmt::format(" at step {} of {}", attempt.step, attempt.total_steps);
    }
    text += fmt::format(" on {}, begun {}", attempt.worker, attempt.started_at);
    if (attempt.reason) text += ": " + *attempt.reason;
    text += fmt::format(" (log: {})\n", (workspace / attempt.folder / "log.txt").string());
  }
  return text;
}

std::string dependencies_text(const answers::TaskDetail& task) {
  std::string text;
  for (const answers::TaskLink& other : task.dependencies) {
    text += fmt::format("  needs {}: {}\n", other.title, other.state);
  }
  return text;
}

// Environment of the newest attempt.
std::string environment_text(const answers::TaskDetail& task) {
  if (!task.environments || task.environments->empty()) return "";
  const answers::Environment& newest = task.environments->back();
  const Json about = newest.environment.is_object() ? newest.environment : Json::object();
  const auto text = [&](const char* name) {
    const Json value = about.value(name, Json());
    return value.is_string() ? value.get<std::string>() : value.is_null() ? "?" : value.dump();
  };
  std::string line = fmt::format(
      "  ran on {}: {}, {} rank{} of {} threads, {}, LibTorch {}, {}, commit {}\n",
      newest.worker.value_or("?"), newest.device, newest.ranks, newest.ranks == 1 ? "" : "s",
      text("threads_per_rank"), text("processor"), text("libtorch"), text("mpi"), text("commit"));
  if (about.contains("gpus")) line += "  on GPUs " + text("gpus") + "\n";
  return line;
}

// A short explanation, then the evidence for it.
std::string explained(const answers::TaskDetail& task, const fs::path& workspace) {
  return fmt::format("{}\n{}\n{}{}{}", task.title, task.explanation, dependencies_text(task),
                     attempts_text(task, workspace), environment_text(task));
}

int explain(const CommandLine& line, const std::string& what) {
  Source source(line.workspace);
  const answers::TaskDetail task = source.whole_task(source.task(what).task_id);
  if (line.format == Format::kJson) {
    Json json = to_json(task);
    json.erase("next");  // it is whole
    print(json.dump(1) + "\n");
  } else if (line.format == Format::kCsv) {
    Table table({{"task_id"}, {"title"}, {"state"}, {"explanation"}});
    table.add_row({task.task_id, task.title, task.state, task.explanation});
    print(table.csv());
  } else {
    print(explained(task, line.workspace));
    const bool goes_on =
        task.state == "waiting" || task.state == "ready" || task.state == "running";
    if (!source.has_daemon() && goes_on) {
      print(
          "  no daemon is running: nothing is given to workers until `remixer up` or `remixer "
          "run`\n");
    }
  }
  return kExitDone;
}

}  // namespace

void add_explain(CommandLine& line) {
  CLI::App* command =
      add_command(line, "explain", "Explain why a task is not running, or how it ended",
                  "remixer explain \"train deit_nano\"");
  auto what = std::make_shared<std::string>();
  command->add_option("TASK", *what, "The beginning of a task's id, or a part of its title")
      ->required();
  add_format(line, command);
  command->callback(
      [&line, what] { line.chosen = [&line, what] { return explain(line, *what); }; });
}

}  // namespace remixer::coordinator::command
