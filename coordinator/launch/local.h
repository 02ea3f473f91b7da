// SPDX-License-Identifier: Apache-2.0
// Local launcher: keeps a daemon's own workers running on this machine.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "experiments/protocol/answers.h"

namespace remixer::coordinator {

struct LauncherOptions {
  std::filesystem::path workspace;  // logs go to <workspace>/logs/worker-<n>.log
  std::filesystem::path access_file;
  std::filesystem::path worker_program;  // empty: remixer-worker beside this program
  std::string device = "auto";           // the workers' --device
  int loader_threads = 0;                // per rank; 0: the workers decide
  double settled_seconds = 20;           // a worker that runs for this long has started well
  double backoff_seconds = 0.5;          // before the first restart; doubled for each early death
  int early_deaths = 5;                  // in a row, after which a worker is given up
};

// Exit code by which a worker asks to be restarted; not counted as a failure.
constexpr int kWorkerRestart = 75;

// Thread-safe. Starts, watches and restarts the workers on its own thread. Divides this machine's
// cores and GPUs equally among them: affinity, OMP_NUM_THREADS (unless it is set),
// REMIXER_CORES_PER_RANK, REMIXER_WORKERS_HERE and CUDA_VISIBLE_DEVICES.
class LocalLauncher {
 public:
  explicit LocalLauncher(LauncherOptions options);
  // Stops as kill() does.
  ~LocalLauncher();
  LocalLauncher(const LocalLauncher&) = delete;
  LocalLauncher& operator=(const LocalLauncher&) = delete;

  // Starts more workers of `ranks` MPI ranks each. Throws InputError if the worker program or, for
  // several ranks, mpirun is missing.
  void start(int workers, int ranks);

  // From now on does not restart workers that end.
  void let_end();
  // Sends SIGTERM to the remaining workers, which then checkpoint and end.
  void terminate();
  // Kills the remaining workers and all their child processes.
  void kill();

  int alive() const;
  // The problem is one line saying why a worker does not start, including the last lines of its
  // log.
  experiments::protocol::answers::Launcher status() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
