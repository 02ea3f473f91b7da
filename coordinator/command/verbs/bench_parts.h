// SPDX-License-Identifier: Apache-2.0
// What the benchmarks of the coordinator share: grids, filled databases, a daemon of their own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "coordinator/command/ask/session.h"
#include "experiments/protocol/messages.h"

namespace remixer::coordinator::command {

double now();  // monotonic seconds
double quantile(std::vector<double> values, double q);

// `count` cells from seed `first` on, as a study's grid would have them.
experiments::protocol::SubmitGrid make_grid(const std::string& name, int64_t first, int64_t count,
                                            int64_t evaluations);
// A database with that many finished cells, through the product's own steps and writes, in grids of
// 1,000 cells. `files`: each training's result names a model that is there.
void fill(const fs::path& workspace, int64_t cells, int64_t evaluations, bool files = false);

// `remixer up --workers 0` in a process of its own, with $REMIXER_FAILPOINT where one is given.
class DaemonProcess {
 public:
  explicit DaemonProcess(const fs::path& workspace, const std::string& failpoint = "");
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  // A connection of its own, once the daemon answers.
  Session session() const;
  // "VmHWM", "VmRSS": megabytes.
  double megabytes(const std::string& what) const;

 private:
  fs::path workspace_;
  pid_t child_ = -1;
};

}  // namespace remixer::coordinator::command
