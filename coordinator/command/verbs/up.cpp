// SPDX-License-Identifier: Apache-2.0
// `remixer up` and `remixer down`: starts a daemon in the foreground, and ends it.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "coordinator/command/verbs/dashboard_reports.h"
#include "coordinator/command/verbs/listen_options.h"
#include "coordinator/command/verbs/serve.h"
#include "coordinator/daemon/workspace.h"
#include "coordinator/launch/slurm/launcher.h"

namespace remixer::coordinator::command {
namespace {

constexpr double kDownSeconds = 30;

struct UpOptions {
  WorkerOptions workers;
  ListenOptions listen;
  std::string notify_command, notify_url;
  int64_t disk_quota = 0;
  double lease_seconds = DaemonOptions().lease_seconds;
};

// "@FILE": the first line of that file.
std::string text_or_file(const std::string& text) {
  if (!text.starts_with("@")) return text;
  const std::string whole = read_file(text.substr(1));
  return whole.substr(0, whole.find_first_of("\r\n"));
}

int up(const fs::path& workspace, const UpOptions& options) {
  ServeOptions serve_options;
  DaemonOptions& daemon = serve_options.daemon;
  daemon.workspace = workspace;
  ListenOptions listen = options.listen;
  // After `remixer slurm up`, allocations look for the daemon at the address it used then.
  const auto kept = slurm::read_kept(workspace);
  if (kept && kept->wanted && !kept->listen.empty() && listen.address == ListenOptions().address) {
    listen.address = kept->listen;
  }
  listen.apply(daemon);
  options.workers.apply(daemon);
  const WorkerCount count = options.workers.count();
  daemon.workers = count.workers;
  daemon.ranks = count.ranks;
  daemon.notify_command = options.notify_command;
  daemon.notify_url = text_or_file(options.notify_url);
  daemon.lease_seconds = options.lease_seconds;
  daemon.reports = dashboard_reports(workspace);
  if (options.disk_quota > 0) daemon.disk_quota = options.disk_quota;
  serve_options.workers =
      count.workers == 0
          ? "without local workers"
          : fmt::format("with {} local worker{} of {} rank{}", count.workers,
                        count.workers == 1 ? "" : "s", count.ranks, count.ranks == 1 ? "" : "s");
  // Keeps the allocations of an earlier daemon process.
  serve_options.started = [](Daemon& started) { Session(started.access()).post("/slurm/resume"); };
  return serve(serve_options);
}

int down(const fs::path& workspace, bool keep_allocations) {
  Session session = Session::require(workspace);
  session.post("/shutdown", {{"keep_allocations", keep_allocations}});
  const double begun = system_clock().monotonic();
  // Wait until its lock is free, so that the next `remixer up` can take it.
  while (workspace_owned(fs::absolute(workspace))) {
    if (system_clock().monotonic() - begun > kDownSeconds) {
      fail("the daemon of {} was told to end {} s ago and has not yet; its workers' logs are in {}",
           workspace.string(), kDownSeconds, (workspace / "logs").string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  print("The daemon has ended; `remixer up` or `remixer run` continues from there.\n");
  return kExitDone;
}

}  // namespace

void add_up(CommandLine& line) {
  CLI::App* command = add_command(
      line, "up", "Start the workspace's daemon in the foreground, until Ctrl-C or `remixer down`",
      "remixer up --workers 1 --ranks 2");
  auto options = std::make_shared<UpOptions>();
  options->workers.add_to(command);
  options->listen.add_to(command);
  command
      ->add_option("--notify", options->notify_command,
                   "Program to run when a grid ends or needs attention, as PROGRAM EVENT GRID")
      ->type_name("PROGRAM");
  command
      ->add_option("--notify-url", options->notify_url,
                   "URL to notify with a JSON POST, http or https; @FILE reads it from a file, "
                   "because other users can see a command line")
      ->envname("REMIXER_NOTIFY_URL")
      ->type_name("URL|@FILE");
  command
      ->add_option("--disk-quota", options->disk_quota,
                   "Delete garbage (see `remixer gc`) if the workspace is larger than this, for "
                   "example 200GB")
      ->transform(CLI::AsSizeValue(true))
      ->type_name("SIZE");
  command
      ->add_option("--lease", options->lease_seconds,
                   "Seconds without a heartbeat before a task is reassigned")
      ->type_name("S")
      ->check(CLI::Range(3.0, 86400.0))
      ->capture_default_str();
  command->callback([&line, options] {
    line.chosen = [&line, options] { return up(line.workspace, *options); };
  });
}

void add_down(CommandLine& line) {
  CLI::App* command = add_command(
      line, "down", "End the workspace's daemon; what runs is checkpointed", "remixer down");
  auto keep = std::make_shared<bool>(false);
  command->add_flag("--keep-allocations", *keep,
                    "End at once and keep Slurm's allocations for the next daemon");
  command->callback(
      [&line, keep] { line.chosen = [&line, keep] { return down(line.workspace, *keep); }; });
}

}  // namespace remixer::coordinator::command
