// SPDX-License-Identifier: Apache-2.0
// Formats a grid's progress: pure functions of the daemon's status.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::coordinator::command {

// The grid object in `status` with this id; null if it is not there.
Json grid_of(const Json& status, int64_t grid_id);

// True if no task of the grid will run without user action; a paused grid has not ended.
bool has_ended(const Json& grid);
// True if `status` has grids and all have ended.
bool all_ended(const Json& status);

// "[#####---------------]", `cells` characters between the brackets; fraction in [0, 1].
std::string progress_bar(double fraction, size_t cells);

// "45 of 131 tasks · 4 of 15 cells · 12 min · about 20 min to go", or with "paused" at its end.
std::string grid_summary(const Json& grid, double elapsed_seconds);

// "train deit_nano · none · seed 0  120/1000  loss 1.893  410 images/s  about 3 min to go"
std::string running_line(const Json& attempt);

// The redrawn block: the bar and one line per running attempt of the grid, each at most `width`
// columns wide; lines that do not fit are counted ("and 3 more running").
std::vector<std::string> progress_block(const Json& status, int64_t grid_id, double elapsed_seconds,
                                        size_t width, size_t height, bool colour);

// Detects which tasks finished or failed since the last call. Each failure is reported once, even
// if the daemon lists it longer.
class NewEvents {
 public:
  // Earlier events are not reported: pass the initial status. Grid 0: all grids.
  NewEvents(const Json& status, int64_t grid_id);

  struct Events {
    std::vector<Json> finished, failed;  // oldest first
  };
  Events next(const Json& status);

 private:
  int64_t grid_id_;
  std::set<std::string> seen_;
};

// "done    train deit_nano · none · seed 0 in 1 min 25 s  top1 64.2"
std::string finished_line(const Json& task);
// "failed train ...: the reason (log: runs/...)"; paths are relative to `workspace`.
std::string failed_line(const Json& task, const std::string& workspace);

}  // namespace remixer::coordinator::command
