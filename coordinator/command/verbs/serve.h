// SPDX-License-Identifier: Apache-2.0
// Runs a daemon in the foreground: shared by `remixer up` and `remixer slurm up`.
#pragma once

#include <functional>
#include <string>

#include "coordinator/daemon/daemon.h"

namespace remixer::coordinator::command {

struct ServeOptions {
  DaemonOptions daemon;
  std::string workers;                   // its workers, as "with 1 local worker of 2 ranks"
  std::function<void(Daemon&)> started;  // called once the daemon listens; may be empty
  bool until_done = false;               // end once every submitted grid has ended
};

// Serves until Ctrl-C, `remixer down` or, with until_done, the end of the grids. Prints a line for
// each task that ends and for problems with workers. Returns the exit code.
int serve(const ServeOptions& options);

}  // namespace remixer::coordinator::command
