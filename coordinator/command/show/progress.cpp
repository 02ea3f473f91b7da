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
std::string worker_problem(const answers::Status& status) {
  if (!status.launcher || status.launcher->alive > 0 || !status.running.empty()) return "";
  return status.launcher->problem.value_or("");
}

std::vector<answers::Cell> cells_of(Session& session, int64_t grid_id) {
  return session.ask_whole<answers::GridDetail>(fmt::format("/grids/{}", grid_id), "cell_list")
      .cell_list;
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
  const auto status = session_.ask<answers::Status>("/status");
  revision_ = status.revision;
  news_ = std::make_unique<NewEvents>(status, grid_id_);
  const std::vector<answers::Cell> cells = cells_of(session_, grid_id_);
  rows_ = std::make_unique<CellRows>(cells, eval_sets_, terminal_width());
  for (const answers::Cell& cell : cells) {
    if (cell.state == "done") shown_cells_.insert(cell.cell_id);
  }
}

std::string Progress::new_cells() {
  std::string text;
  for (const answers::Cell& cell : cells_of(session_, grid_id_)) {
    if (cell.state != "done" || !shown_cells_.insert(cell.cell_id).second) continue;
    if (!heading_shown_) text += coloured(rows_->heading(), Colour::kBold, use_colour()) + "\n";
    heading_shown_ = true;
    text += rows_->row(cell) + "\n";
  }
  return text;
}

std::string Progress::events(const answers::Status& status) {
  std::string text;
  const NewEvents::Events events = news_->next(status);
  failed_ += events.failed.size();
  // A terminal shows the block instead of one line per task.
  if (!on_terminal()) {
    for (const auto& task : events.finished) text += finished_line(task) + "\n";
  }
  for (const auto& task : events.failed) {
    text += coloured(failed_line(task, workspace_), Colour::kRed, use_colour()) + "\n";
  }
  if (status.revision != revision_) text += new_cells();
  revision_ = status.revision;
  return text;
}

void Progress::show(const answers::Status& status) {
  std::string above = events(status);
  if (!on_terminal()) return show_plain(status, std::move(above));
  const double elapsed = system_clock().monotonic() - started_;
  block_.draw(
      progress_block(status, grid_id_, elapsed, terminal_width(), kBlockHeight, use_colour()),
      above);
}

void Progress::show_plain(const answers::Status& status, std::string above) {
  const double now = system_clock().monotonic();
  const auto grid = grid_of(status, grid_id_);
  if (now - last_summary_ >= kPlainSeconds && grid) {
    above += grid_summary(*grid, now - started_);
    for (const answers::Running& attempt : status.running) above += " | " + running_line(attempt);
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
      const auto status = session.ask<answers::Status>("/status");
      progress.show(status);
      const auto grid = grid_of(status, grid_id);
      result.grid =
          grid ? *grid
               : session.ask<answers::GridDetail>(fmt::format("/grids/{}?limit=1", grid_id));
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
