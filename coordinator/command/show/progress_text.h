// SPDX-License-Identifier: Apache-2.0
// The progress of a grid as text: pure functions of the daemon's status.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::coordinator::command {

// The grid object of `status` with this id; null where it is not among them.
Json grid_of(const Json& status, int64_t grid_id);

// Nothing of the grid will run by itself any more; a paused one has not ended.
bool has_ended(const Json& grid);
// There are grids in `status`, and each has ended.
bool all_ended(const Json& status);

// "[#####---------------]", `cells` characters between the brackets; fraction in [0, 1].
std::string progress_bar(double fraction, size_t cells);

// "45 of 131 tasks · 4 of 15 cells · 12 min · about 20 min to go", or at its end "paused".
std::string grid_summary(const Json& grid, double elapsed_seconds);

// "train deit_nano · none · seed 0  120/1000  loss 1.893  410 images/s  about 3 min to go"
std::string running_line(const Json& attempt);

// The block that is drawn over and over: the bar and one line a running attempt of the grid, each
// at most `width` columns wide; what does not fit is counted ("and 3 more").
std::vector<std::string> progress_block(const Json& status, int64_t grid_id, double elapsed_seconds,
                                        size_t width, size_t height, bool colour);

// Which tasks finished or failed since the last look. `failed` says them once each, even when the
// daemon lists them longer.
class NewEvents {
 public:
  // What had ended before is not reported: hand in the status of the beginning. Grid 0: all grids.
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
// "failed  train ...: the reason (log: runs/...)"; paths below `workspace`.
std::string failed_line(const Json& task, const std::string& workspace);

}  // namespace remixer::coordinator::command
