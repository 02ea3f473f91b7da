// `remixer up` and `remixer down`: a daemon in the foreground, and its end.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "coordinator/command/command.h"
#include "coordinator/command/listen_options.h"
#include "coordinator/command/progress_text.h"
#include "coordinator/command/session.h"
#include "coordinator/command/stop_signal.h"
#include "coordinator/command/terminal.h"
#include "core/base/clock.h"
#include "core/base/error.h"

namespace remixer::coordinator::command {
namespace {

constexpr double kLookSeconds = 1;
constexpr double kDownSeconds = 30;

struct UpOptions {
  int workers = 1;
  int ranks = usual_ranks();
  ListenOptions listen;
  std::string notify_command, notify_url;
  uint64_t disk_quota = 0;
};

// One line a finished or failed task, and one when the trouble with workers changes.
void log_events(Daemon& daemon, NewEvents& news, std::string& problem) {
  const Json status = daemon.status();
  const NewEvents::Events events = news.next(status);
  std::string text;
  const std::string now = iso_time(system_clock().wall());
  for (const Json& task : events.finished) text += fmt::format("{} {}\n", now, finished_line(task));
  for (const Json& task : events.failed) {
    text += fmt::format("{} {}\n", now, failed_line(task, daemon.workspace().string()));
  }
  const Json launcher = status.value("launcher", Json::object());
  const Json found = launcher.value("problem", Json());
  const std::string said = found.is_string() ? found.get<std::string>() : "";
  if (!said.empty() && said != problem) text += fmt::format("{} workers: {}\n", now, said);
  problem = said;
  if (!text.empty()) print(text);
}

int up(const fs::path& workspace, const UpOptions& options) {
  const StopSignal stop;
  DaemonOptions daemon_options;
  daemon_options.workspace = workspace;
  options.listen.apply(daemon_options);
  daemon_options.workers = options.workers;
  daemon_options.ranks = options.ranks;
  daemon_options.notify_command = options.notify_command;
  daemon_options.notify_url = options.notify_url;
  if (options.disk_quota > 0) daemon_options.disk_quota = options.disk_quota;
  Daemon daemon(daemon_options);
  daemon.start();
  const std::string workers = options.workers == 0
                                  ? "without local workers"
                                  : fmt::format("with {} local worker{} of {} rank{}",
                                                options.workers, options.workers == 1 ? "" : "s",
                                                options.ranks, options.ranks == 1 ? "" : "s");
  print(
      fmt::format("The daemon of {} listens on {}:{} {}.\n"
                  "Give it work with `remixer submit GRID`; Ctrl-C or `remixer down` ends it.\n",
                  daemon.workspace().string(), daemon.access().address, daemon.port(), workers));
  NewEvents news(daemon.status(), 0);
  std::string problem;
  while (stop.count() == 0) {
    if (daemon.wait_for(0)) return kExitDone;  // `remixer down`
    log_events(daemon, news, problem);
    stop.wait(kLookSeconds);
  }
  print("Stopping: the workers write their checkpoints (Ctrl-C again ends at once).\n");
  daemon.stop();
  while (!daemon.wait_for(0.1)) {
    if (stop.count() > 1) daemon.stop_now();
  }
  return kExitDone;
}

int down(const fs::path& workspace) {
  Session session = Session::require(workspace);
  session.post("/shutdown");
  const double begun = system_clock().monotonic();
  while (Session::find(workspace)) {
    if (system_clock().monotonic() - begun > kDownSeconds) {
      fail("the daemon of {} was told to end {} s ago and has not yet; its workers' logs are in {}",
           workspace.string(), kDownSeconds, (workspace / "logs").string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  print("The daemon has ended; `remixer up` or `remixer run` goes on where it was.\n");
  return kExitDone;
}

}  // namespace

void add_up(CommandLine& line) {
  CLI::App* command = add_command(
      line, "up", "Start the workspace's daemon in the foreground, until Ctrl-C or `remixer down`",
      "remixer up --workers 1 --ranks 2");
  auto options = std::make_shared<UpOptions>();
  add_workers(command, options->workers, options->ranks);
  options->listen.add_to(command);
  command
      ->add_option("--notify", options->notify_command,
                   "Program to call, as PROGRAM EVENT GRID, when a grid ends or needs a look")
      ->type_name("PROGRAM");
  command
      ->add_option("--notify-url", options->notify_url,
                   "Address to post the same to as JSON, http or https")
      ->type_name("URL");
  command
      ->add_option("--disk-quota", options->disk_quota,
                   "Delete garbage (see `remixer gc`) when the workspace takes more, as 200GB")
      ->transform(CLI::AsSizeValue(true))
      ->type_name("SIZE");
  command->callback([&line, options] {
    line.chosen = [&line, options] { return up(line.workspace, *options); };
  });
}

void add_down(CommandLine& line) {
  CLI::App* command = add_command(
      line, "down", "End the workspace's daemon; what runs is checkpointed", "remixer down");
  command->callback([&line] { line.chosen = [&line] { return down(line.workspace); }; });
}

}  // namespace remixer::coordinator::command
