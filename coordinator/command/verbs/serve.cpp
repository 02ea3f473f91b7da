// SPDX-License-Identifier: Apache-2.0
// Runs a daemon in the foreground.
#include "coordinator/command/verbs/serve.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/ask/stop_signal.h"
#include "coordinator/command/show/progress_text.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/dashboard_link.h"

namespace remixer::coordinator::command {
namespace {

constexpr double kLookSeconds = 1;

// The current problem with workers; empty if none.
std::string trouble(const answers::Status& status) {
  std::vector<std::optional<std::string>> problems{status.site.problem};
  if (status.launcher) problems.push_back(status.launcher->problem);
  if (status.slurm) {
    problems.push_back(status.slurm->paused);
    problems.push_back(status.slurm->problem);
  }
  for (const auto& problem : problems) {
    if (problem) return *problem;
  }
  return "";
}

// One line per finished or failed task, and one when the problem with workers changes.
void log_events(const answers::Status& status, const std::string& workspace, NewEvents& news,
                std::string& problem) {
  const NewEvents::Events events = news.next(status);
  std::string text;
  const std::string now = iso_time(system_clock().wall());
  for (const auto& task : events.finished) text += fmt::format("{} {}\n", now, finished_line(task));
  for (const auto& task : events.failed) {
    text += fmt::format("{} {}\n", now, failed_line(task, workspace));
  }
  const std::string said = trouble(status);
  if (!said.empty() && said != problem) text += fmt::format("{} trouble: {}\n", now, said);
  problem = said;
  if (!text.empty()) print(text);
}

}  // namespace

int serve(const ServeOptions& options) {
  const StopSignal stop;
  Daemon daemon(options.daemon);
  daemon.start();
  if (options.started) options.started(daemon);
  const std::string workspace = daemon.workspace().string();
  print(
      fmt::format("The daemon of {} listens on {}:{} {}.\n"
                  "Give it work with `remixer submit GRID`; Ctrl-C or `remixer down` ends it.\n",
                  workspace, daemon.access().address, daemon.port(), options.workers));
  Session session(daemon.access());
  print(dashboard_text(session));
  NewEvents news(daemon.status(), 0);
  std::string problem;
  while (stop.count() == 0) {
    if (daemon.wait_for(0)) return kExitDone;  // `remixer down`
    const answers::Status status = daemon.status();
    log_events(status, workspace, news, problem);
    if (options.until_done && all_ended(status)) break;
    stop.wait(kLookSeconds);
  }
  print(stop.count() == 0
            ? "Every grid has ended: stopping.\n"
            : "Stopping: the workers write their checkpoints (Ctrl-C again ends at once).\n");
  daemon.stop();
  while (!daemon.wait_for(0.1)) {
    if (stop.count() > 1) daemon.stop_now();
  }
  return kExitDone;
}

}  // namespace remixer::coordinator::command
