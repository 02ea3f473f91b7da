// SPDX-License-Identifier: Apache-2.0
// Shared by all subcommands.
#pragma once

#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/text_table.h"
#include "coordinator/daemon/daemon.h"
#include "coordinator/launch/share.h"
#include "experiments/grid/grid.h"

namespace remixer::coordinator::command {

namespace fs = std::filesystem;

struct CommandLine {
  CLI::App app;
  fs::path workspace;              // --workspace, $REMIXER_WORKSPACE or "workspace"
  Format format = Format::kTable;  // --format
  std::function<int()> chosen;     // action of the chosen subcommand; returns the exit code
};

// A subcommand with its --workspace option; `example` ends its help text.
CLI::App* add_command(CommandLine& line, const std::string& name, const std::string& description,
                      const std::string& example);
// --format table|json|csv.
void add_format(CommandLine& line, CLI::App* command);
// Local workers, from the options of `run` and `up`.
struct WorkerOptions {
  std::optional<int> workers, ranks;
  std::string device = "auto";
  int loader_threads = 0;

  void add_to(CLI::App* command);
  // Unset options follow this machine's GPUs and cores, and `choice`'s shards and cells.
  WorkerCount count(WorkerChoice choice = {}) const;
  // Sets device and threads; does not set the number of workers.
  void apply(DaemonOptions& options) const;
};

// The gcd of the cells' shards, which the number of ranks must divide, and the number of cells.
WorkerChoice worker_choice(const experiments::Grid& grid);

// One function per subcommand: adds it to the command line.
void add_run(CommandLine& line);
void add_up(CommandLine& line);
void add_down(CommandLine& line);
void add_doctor(CommandLine& line);
void add_submit(CommandLine& line);
void add_status(CommandLine& line);
void add_explain(CommandLine& line);
void add_logs(CommandLine& line);
void add_cancel(CommandLine& line);
void add_retry(CommandLine& line);
void add_pause(CommandLine& line);
void add_resume(CommandLine& line);
void add_limit(CommandLine& line);
void add_rm(CommandLine& line);
void add_gc(CommandLine& line);
void add_adopt(CommandLine& line);
void add_backup(CommandLine& line);
void add_export(CommandLine& line);
void add_bench(CommandLine& line);
void add_query(CommandLine& line);
void add_report(CommandLine& line);
void add_handovers(CommandLine& line);

}  // namespace remixer::coordinator::command
