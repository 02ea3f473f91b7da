// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/progress.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"

namespace remixer::coordinator::command {
namespace {

constexpr double kRedrawSeconds = 0.5;
constexpr double kPlainSeconds = 30;  // between two summaries in a pipe
constexpr double kAwaySeconds = 60;   // how long a daemon may be away
constexpr size_t kBlockHeight = 8;

// Why no work can continue, or empty.
std::string worker_problem(const Json& status) {
  const auto launcher = status.find("launcher");
  if (launcher == status.end() || !launcher->is_object()) return "";
  if (!launcher->value("problem", Json()).is_string()) return "";
  if (launcher->value("alive", 0) > 0 || !status.at("running").empty()) return "";
  return launcher->at("problem").get<std::string>();
}

// The daemon is gone; the workspace's next daemon has another port and token.
void wait_for_daemon(Session& session, const fs::path& workspace, double last_answer) {
  if (system_clock().monotonic() - last_answer > kAwaySeconds) {
    fail("the daemon of {} has gone; `remixer run` or `remixer up` continues from there",
         workspace.string());
  }
  if (auto found = Session::find(workspace)) session = std::move(*found);
}

}  // namespace

Progress::Progress(Session& session, int64_t grid_id, std::vector<std::string> eval_sets,
                   std::string workspace)
    : session_(session),
      grid_id_(grid_id),
      workspace_(std::move(workspace)),
      eval_sets_(std::move(eval_sets)),
      started_(system_clock().monotonic()),
      last_summary_(started_) {
  const Json status = session_.get("/status");
  revision_ = status.value("revision", Json());
  news_ = std::make_unique<NewEvents>(status, grid_id_);
  const Json grid = session_.get_whole(fmt::format("/grids/{}", grid_id_), "cell_list");
  rows_ = std::make_unique<CellRows>(grid.at("cell_list"), eval_sets_, terminal_width());
  for (const Json& cell : grid.at("cell_list")) {
    if (cell.at("state") == "done") shown_cells_.insert(cell.at("cell_id"));
  }
}

std::string Progress::new_cells() {
  std::string text;
  const Json grid = session_.get_whole(fmt::format("/grids/{}", grid_id_), "cell_list");
  for (const Json& cell : grid.at("cell_list")) {
    if (cell.at("state") != "done" || !shown_cells_.insert(cell.at("cell_id")).second) continue;
    if (!heading_shown_) text += coloured(rows_->heading(), Colour::kBold, use_colour()) + "\n";
    heading_shown_ = true;
    text += rows_->row(cell) + "\n";
  }
  return text;
}

std::string Progress::events(const Json& status) {
  std::string text;
  const NewEvents::Events events = news_->next(status);
  failed_ += events.failed.size();
  // A terminal shows the block instead of one line per task.
  if (!on_terminal()) {
    for (const Json& task : events.finished) text += finished_line(task) + "\n";
  }
  for (const Json& task : events.failed) {
    text += coloured(failed_line(task, workspace_), Colour::kRed, use_colour()) + "\n";
  }
  const Json revision = status.value("revision", Json());
  if (revision != revision_ || revision.is_null()) text += new_cells();
  revision_ = revision;
  return text;
}

void Progress::show(const Json& status) {
  std::string above = events(status);
  if (!on_terminal()) return show_plain(status, std::move(above));
  const double elapsed = system_clock().monotonic() - started_;
  block_.draw(
      progress_block(status, grid_id_, elapsed, terminal_width(), kBlockHeight, use_colour()),
      above);
}

void Progress::show_plain(const Json& status, std::string above) {
  const double now = system_clock().monotonic();
  const Json grid = grid_of(status, grid_id_);
  if (now - last_summary_ >= kPlainSeconds && !grid.is_null()) {
    above += grid_summary(grid, now - started_);
    for (const Json& attempt : status.at("running")) above += " | " + running_line(attempt);
    above += "\n";
    last_summary_ = now;
  }
  if (!above.empty()) print(above);
}

void Progress::end() {
  if (on_terminal()) block_.clear();
}

WatchResult watch_grid(Session& session, const fs::path& workspace, int64_t grid_id,
                       Progress& progress, const StopSignal& stop, const WatchOptions& options) {
  WatchResult result;
  double last_answer = system_clock().monotonic();
  while (stop.count() == 0) {
    try {
      const Json status = session.get("/status");
      progress.show(status);
      result.grid = grid_of(status, grid_id);
      if (result.grid.is_null())
        result.grid = session.get(fmt::format("/grids/{}?limit=1", grid_id));
      result.problem = worker_problem(status);
      last_answer = system_clock().monotonic();
    } catch (const experiments::protocol::Unreachable&) {
      if (options.own != nullptr) {
        result.end = WatchEnd::kDaemonEnded;
        return result;
      }
      wait_for_daemon(session, workspace, last_answer);
      stop.wait(1);
      continue;
    }
    if (has_ended(result.grid)) return result;
    if (options.stop_at_failure && progress.failed() > 0) {
      result.end = WatchEnd::kTaskFailed;
      return result;
    }
    if (options.own != nullptr && !result.problem.empty()) {
      result.end = WatchEnd::kNoWorkers;
      return result;
    }
    stop.wait(kRedrawSeconds);
  }
  result.end = WatchEnd::kInterrupted;
  return result;
}

}  // namespace remixer::coordinator::command
