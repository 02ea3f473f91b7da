// SPDX-License-Identifier: Apache-2.0
// Main loop of a worker: register, claim, run, report, until it is told to exit.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "core/distributed/mpi_communicator.h"

namespace remixer::worker {

struct SessionOptions {
  std::filesystem::path access_file;
  std::filesystem::path weights;
  int loader_threads = 0;     // per rank; main() replaces 0 by the default
  int ranks_here = 1;         // ranks on this rank's machine, of all workers
  std::string device_reason;  // why the ranks use their devices
  Json ranks;                 // describe_rank() of each
  // A worker without work exits if no daemon has answered for this long; a worker with work stops
  // waiting for its lease.
  double patience_seconds = 120;
  // A worker whose finished result no daemon has accepted waits this long, then exits: the result
  // stays in the attempt's folder, and the task's next worker sends it.
  double result_patience_seconds = 24 * 3600;
  // A worker that has had no work for this long exits. 0: it waits for ever.
  double idle_seconds = 0;
};

// Rank 0's loop. Returns the program's exit code: 0 if told to exit, kRestart after a failure that
// may have left collectives unfinished.
// `compute`: the same ranks on the device used for tasks.
int lead(const SessionOptions& options, training::MpiCommunicator& communicator,
         training::Communicator& compute);

// The other ranks' loop: runs the tasks that rank 0 sends.
int follow(const SessionOptions& options, training::MpiCommunicator& communicator,
           training::Communicator& compute);

// Exit code of a worker that asks to be restarted.
constexpr int kRestart = 75;

}  // namespace remixer::worker
