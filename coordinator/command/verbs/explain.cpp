// SPDX-License-Identifier: Apache-2.0
// `remixer explain`: why a task is not running, or how it ended.
#include <fmt/format.h>

#include "base/error.h"
#include "coordinator/command/ask/source.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"

namespace remixer::coordinator::command {
namespace {

std::string attempts_text(const Json& task, const fs::path& workspace) {
  std::string text;
  for (const Json& attempt : task.at("attempts")) {
    text += fmt::format("  attempt {}: {}", attempt.at("attempt").get<int64_t>(),
                        attempt.at("state").get<std::string>());
    const Json steps = attempt.value("total_steps", Json());
    if (attempt.at("state") != "done" && steps.is_number() && steps > 0) {
      text +=
          fmt::format(" at step {} of {}", attempt.at("step").get<int64_t>(), steps.get<int64_t>());
    }
    if (attempt.value("worker", Json()).is_string()) {
      text += " on " + attempt["worker"].get<std::string>();
    }
    if (attempt.value("started_at", Json()).is_string()) {
      text += ", begun " + attempt["started_at"].get<std::string>();
    }
    if (attempt.value("reason", Json()).is_string()) {
      text += ": " + attempt["reason"].get<std::string>();
    }
    if (attempt.value("folder", Json()).is_string()) {
      text += fmt::format(" (log: {})",
                          (workspace / attempt["folder"].get<std::string>() / "log.txt").string());
    }
    text += "\n";
  }
  return text;
}

std::string dependencies_text(const Json& task) {
  std::string text;
  for (const Json& other : task.at("dependencies")) {
    text += fmt::format("  needs {}: {}\n", other.at("title").get<std::string>(),
                        other.at("state").get<std::string>());
  }
  return text;
}

// Environment of the newest attempt.
std::string environment_text(const Json& task) {
  const Json all = task.value("environments", Json::array());
  if (all.empty()) return "";
  const Json& newest = all.back();
  const Json about = newest.at("environment").is_object() ? newest["environment"] : Json::object();
  const auto text = [&](const char* name) {
    const Json value = about.value(name, Json());
    return value.is_string() ? value.get<std::string>() : value.is_null() ? "?" : value.dump();
  };
  std::string line =
      fmt::format("  ran on {}: {}, {} rank{} of {} threads, {}, LibTorch {}, {}, commit {}\n",
                  newest.at("worker").is_string() ? newest["worker"].get<std::string>() : "?",
                  newest.at("device").get<std::string>(), newest.at("ranks").get<int64_t>(),
                  newest.at("ranks") == 1 ? "" : "s", text("threads_per_rank"), text("processor"),
                  text("libtorch"), text("mpi"), text("commit"));
  if (about.contains("gpus")) line += "  on GPUs " + text("gpus") + "\n";
  return line;
}

// A short explanation, then the evidence for it.
std::string explained(const Json& task, const fs::path& workspace) {
  return fmt::format("{}\n{}\n{}{}{}", task.at("title").get<std::string>(),
                     task.at("explanation").get<std::string>(), dependencies_text(task),
                     attempts_text(task, workspace), environment_text(task));
}

int explain(const CommandLine& line, const std::string& what) {
  Source source(line.workspace);
  const Json task = source.whole_task(source.task(what).at("task_id").get<std::string>());
  if (line.format == Format::kJson) {
    print(task.dump(1) + "\n");
  } else if (line.format == Format::kCsv) {
    Table table({{"task_id"}, {"title"}, {"state"}, {"explanation"}});
    table.add_row({task.at("task_id"), task.at("title"), task.at("state"), task.at("explanation")});
    print(table.csv());
  } else {
    print(explained(task, line.workspace));
    const auto state = task.at("state").get<std::string>();
    const bool goes_on = state == "waiting" || state == "ready" || state == "running";
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
