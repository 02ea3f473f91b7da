// SPDX-License-Identifier: Apache-2.0
// Formats a grid's progress: pure functions of the daemon's status.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "experiments/protocol/answers.h"

namespace remixer::coordinator::command {

namespace answers = experiments::protocol::answers;

// The grid in `status` with this id, if it is there.
std::optional<answers::Grid> grid_of(const answers::Status& status, int64_t grid_id);

// True if no task of the grid will run without user action; a paused grid has not ended.
bool has_ended(const answers::Grid& grid);
// True if `status` has grids and all have ended.
bool all_ended(const answers::Status& status);

// "[#####---------------]", `cells` characters between the brackets; fraction in [0, 1].
std::string progress_bar(double fraction, size_t cells);

// "45 of 131 tasks · 4 of 15 cells · 12 min · about 20 min to go", or with "paused" at its end.
std::string grid_summary(const answers::Grid& grid, double elapsed_seconds);

// "train deit_nano · none · seed 0  120/1000  loss 1.893  410 images/s  about 3 min to go"
std::string running_line(const answers::Running& attempt);

// The redrawn block: the bar and one line per running attempt of the grid, each at most `width`
// columns wide; lines that do not fit are counted ("and 3 more running").
std::vector<std::string> progress_block(const answers::Status& status, int64_t grid_id,
                                        double elapsed_seconds, size_t width, size_t height,
                                        bool colour);

// Detects which tasks finished or failed since the last call. Each failure is reported once, even
// if the daemon lists it longer.
class NewEvents {
 public:
  // Earlier events are not reported: pass the initial status. Grid 0: all grids.
  NewEvents(const answers::Status& status, int64_t grid_id);

  struct Events {
    std::vector<answers::FinishedTask> finished;  // both oldest first
    std::vector<answers::FailedTask> failed;
  };
  Events next(const answers::Status& status);

 private:
  int64_t grid_id_;
  std::set<std::string> seen_;
};

// "done    train deit_nano · none · seed 0 in 1 min 25 s  top1 64.2"
std::string finished_line(const answers::FinishedTask& task);
// "failed train ...: the reason (log: runs/...)"; paths are relative to `workspace`.
std::string failed_line(const answers::FailedTask& task, const std::string& workspace);

}  // namespace remixer::coordinator::command
