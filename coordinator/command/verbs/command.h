// What all subcommands share.
#pragma once

#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>
#include <string>

#include "base/text_table.h"

namespace remixer::coordinator::command {

namespace fs = std::filesystem;

struct CommandLine {
  CLI::App app;
  fs::path workspace;              // --workspace, $REMIXER_WORKSPACE or "workspace"
  Format format = Format::kTable;  // --format
  std::function<int()> chosen;     // what the subcommand does; returns the exit code
};

// A subcommand with its --workspace option; `example` ends its help text.
CLI::App* add_command(CommandLine& line, const std::string& name, const std::string& description,
                      const std::string& example);
// --format table|json|csv.
void add_format(CommandLine& line, CLI::App* command);
// --workers and --ranks of local workers.
void add_workers(CLI::App* command, int& workers, int& ranks);
// The number of ranks of a local worker unless told otherwise: two where there are two cores.
int usual_ranks();

// One function a subcommand: adds it to the command line.
void add_run(CommandLine& line);
void add_up(CommandLine& line);
void add_down(CommandLine& line);
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
void add_backup(CommandLine& line);
void add_bench(CommandLine& line);
void add_query(CommandLine& line);
void add_report(CommandLine& line);
void add_handovers(CommandLine& line);

}  // namespace remixer::coordinator::command
