// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/verbs/command.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/installation.h"
#include "base/utf8.h"
#include "base/version.h"
#include "coordinator/command/verbs/command_line.h"
#include "coordinator/command/verbs/dashboard_link.h"
#include "coordinator/command/verbs/handover.h"
#include "coordinator/command/verbs/plan.h"
#include "coordinator/command/verbs/rehearse.h"
#include "coordinator/command/verbs/slurm.h"

namespace remixer::coordinator::command {
namespace {

int report_error(std::string message, int code) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fprintf(stderr, "remixer: %s\n", message.c_str());
  return code;
}

void add_workspace(CommandLine& line, CLI::App& app) {
  app.add_option("-w,--workspace", line.workspace, kWorkspaceHelp)->type_name("DIR");
}

void build(CommandLine& line) {
  line.app.name("remixer");
  line.app.description(
      "Object-aware patch mixing studies: from a grid of experiments to the paper's tables.");
  line.app.footer(
      "Begin with:  remixer run experiments/quickstart.toml\n"
      "Help on one: remixer run --help");
  line.app.set_version_flag("--version", fmt::format("remixer {} ({})", version(), commit()));
  line.app.require_subcommand(1);
  line.workspace = default_workspace();
  add_workspace(line, line.app);
  add_run(line);
  add_up(line);
  add_plan(line);
  add_rehearse(line);
  add_submit(line);
  add_status(line);
  add_explain(line);
  add_logs(line);
  add_cancel(line);
  add_retry(line);
  add_pause(line);
  add_resume(line);
  add_limit(line);
  add_rm(line);
  add_gc(line);
  add_adopt(line);
  add_backup(line);
  add_export(line);
  add_bench(line);
  add_query(line);
  add_dashboard(line);
  add_report(line);
  add_down(line);
  add_slurm(line);
  add_doctor(line);
  add_handovers(line);
}

// The subcommand whose arguments were wrong, for the usage hint.
std::string help_of(const CommandLine& line) {
  for (const CLI::App* command : line.app.get_subcommands()) {
    return fmt::format("`remixer {} --help` shows how it is used", command->get_name());
  }
  return "`remixer --help` lists the commands";
}

int run(CommandLine& line, int argc, char** argv) {
  build(line);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return line.app.exit(error);  // --help, --version
    const auto rest = line.app.remaining();
    const bool unknown = line.app.get_subcommands().empty() && !rest.empty();
    return report_error(
        unknown ? fmt::format("there is no command '{}'; {}", rest.front(), help_of(line))
                : fmt::format("{}; {}", error.what(), help_of(line)),
        kExitBadInput);
  }
  // The path is passed to workers and stored in records as text.
  const std::string workspace = std::filesystem::absolute(line.workspace).string();
  if (!is_utf8(workspace) || has_control(workspace)) {
    fail_input(
        "the workspace's path is not UTF-8, or holds a line break or another control character; "
        "give another --workspace");
  }
  return line.chosen();
}

}  // namespace

CLI::App* add_command(CommandLine& line, const std::string& name, const std::string& description,
                      const std::string& example) {
  CLI::App* command = line.app.add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  add_workspace(line, *command);
  return command;
}

void add_format(CommandLine& line, CLI::App* command) {
  command
      ->add_option_function<std::string>(
          "--format", [&line](const std::string& name) { line.format = format_from_string(name); },
          "Output format: table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->type_name("FORMAT");
}

void WorkerOptions::add_to(CLI::App* command) {
  command
      ->add_option("--workers", workers,
                   "Local workers to start; each runs one task at a time [enough to keep the GPUs "
                   "busy; 1 without GPUs]")
      ->check(CLI::Range(0, 1024))
      ->type_name("N");
  command
      ->add_option("--ranks", ranks,
                   "MPI ranks of each worker; they share a batch [one per GPU; 2 without GPUs]")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command
      ->add_option("--device", device,
                   "Device to train on: auto (GPUs if every rank can have one), cpu, or cuda "
                   "(GPUs, or an error)")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->type_name("D")
      ->capture_default_str();
  command
      ->add_option("--loader-threads", loader_threads,
                   "Threads per rank that read images [chosen from its cores]")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
}

WorkerCount WorkerOptions::count(WorkerChoice choice) const {
  choice.cores = static_cast<int>(own_cores().size());
  choice.gpus = device == "cpu" ? 0 : static_cast<int>(own_gpus().size());
  choice.workers = workers;
  choice.ranks = ranks;
  return count_workers(choice);
}

void WorkerOptions::apply(DaemonOptions& options) const {
  options.device = device;
  options.loader_threads = loader_threads;
}

WorkerChoice worker_choice(const experiments::Grid& grid) {
  WorkerChoice choice;
  choice.shards = 0;
  for (const experiments::Cell& cell : grid.cells) {
    choice.shards = std::gcd(choice.shards, cell.recipe.shards);
  }
  choice.cells = static_cast<int64_t>(grid.cells.size());
  return choice;
}

int run_command_line(int argc, char** argv) {
  try {
    if (const auto given = find_handover(argc, argv)) return hand_over(*given, argv);
    CommandLine line;
    return run(line, argc, argv);
  } catch (const InputError& error) {
    return report_error(error.what(), kExitBadInput);
  } catch (const std::exception& error) {
    return report_error(error.what(), kExitFailure);
  }
}

}  // namespace remixer::coordinator::command
