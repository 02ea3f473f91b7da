// SPDX-License-Identifier: Apache-2.0
// Shared parts of the coordinator's benchmarks: grids, filled databases, a separate daemon.
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

// `count` cells from seed `first` on, like those of a study's grid.
experiments::protocol::SubmitGrid make_grid(const std::string& name, int64_t first, int64_t count,
                                            int64_t evaluations);
// Fills a database with that many finished cells by the product's own steps and writes, in grids of
// 1,000 cells. `files`: each training's result names a model file that exists.
void fill(const fs::path& workspace, int64_t cells, int64_t evaluations, bool files = false);

// `remixer up --workers 0` in a separate process, with $REMIXER_FAILPOINT if one is given.
class DaemonProcess {
 public:
  explicit DaemonProcess(const fs::path& workspace, const std::string& failpoint = "");
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  // A separate connection, once the daemon answers.
  Session session() const;
  // `what`: "VmHWM" or "VmRSS". In megabytes.
  double megabytes(const std::string& what) const;

 private:
  fs::path workspace_;
  pid_t child_ = -1;
};

}  // namespace remixer::coordinator::command
