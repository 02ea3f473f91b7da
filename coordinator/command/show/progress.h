// SPDX-License-Identifier: Apache-2.0
// Shows a grid's progress while it runs: redrawn in place on a terminal, as plain lines in a pipe.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "coordinator/command/ask/session.h"
#include "coordinator/command/ask/stop_signal.h"
#include "coordinator/command/show/cell_rows.h"
#include "coordinator/command/show/progress_text.h"
#include "coordinator/command/show/terminal.h"

namespace remixer::coordinator::command {

// Shows the news in each status. In a pipe: one line per finished task or cell, and a summary every
// half minute. One thread.
class Progress {
 public:
  // `eval_sets`: columns of the cells' lines. Cells finished before are not shown.
  Progress(Session& session, int64_t grid_id, std::vector<std::string> eval_sets,
           std::string workspace);

  // Shows `status` and, if tasks have finished, the cells that they complete.
  void show(const answers::Status& status);
  // Removes the live block; later output appears below the finished lines.
  void end();
  // Number of tasks that have failed since the start.
  size_t failed() const { return failed_; }

 private:
  std::string events(const answers::Status& status);
  std::string new_cells();
  void show_plain(const answers::Status& status, std::string above);

  Session& session_;
  int64_t grid_id_;
  std::string workspace_;
  std::vector<std::string> eval_sets_;
  double started_;
  double last_summary_;
  int64_t revision_ = 0;
  std::unique_ptr<NewEvents> news_;
  std::unique_ptr<CellRows> rows_;
  std::set<std::string> shown_cells_;
  bool heading_shown_ = false;
  size_t failed_ = 0;
  LiveBlock block_;
};

enum class WatchEnd { kGridEnded, kInterrupted, kDaemonEnded, kTaskFailed, kNoWorkers };

struct WatchOptions {
  bool stop_at_failure = false;
  // The daemon, if it runs in this process: watching then stops when the daemon has ended, or when
  // its workers cannot be started and there are no others. Null: the daemon is another process.
  Daemon* own = nullptr;
};
struct WatchResult {
  WatchEnd end = WatchEnd::kGridEnded;
  answers::Grid grid;   // last one seen
  std::string problem;  // kNoWorkers: why workers do not start
};

// Shows a grid's progress until it has ended or `stop` is signalled. If a daemon in another process
// goes away, waits for it to return; throws Error if it does not.
WatchResult watch_grid(Session& session, const fs::path& workspace, int64_t grid_id,
                       Progress& progress, const StopSignal& stop, const WatchOptions& options);

}  // namespace remixer::coordinator::command
