// SPDX-License-Identifier: Apache-2.0
// A daemon in the foreground: what `remixer up` and `remixer slurm up` have in common.
#pragma once

#include <functional>
#include <string>

#include "coordinator/daemon/daemon.h"

namespace remixer::coordinator::command {

struct ServeOptions {
  DaemonOptions daemon;
  std::string workers;                   // whose work it is, as "with 1 local worker of 2 ranks"
  std::function<void(Daemon&)> started;  // called once the daemon listens; may be empty
  bool until_done = false;               // ends once every grid that was submitted has ended
};

// Serves until Ctrl-C, `remixer down` or, with until_done, the grids' end, with a line on standard
// output for each task that ends and for trouble with workers. Returns the exit code.
int serve(const ServeOptions& options);

}  // namespace remixer::coordinator::command
