// SPDX-License-Identifier: Apache-2.0
// Main loop of a worker: register, claim, run, report, until told to end.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "core/distributed/mpi_communicator.h"

namespace remixer::worker {

struct SessionOptions {
  std::filesystem::path access_file;
  std::filesystem::path weights;
  int loader_threads = 0;     // a rank; main() puts the usual number in place of 0
  std::string device_reason;  // what the ranks run on, and why
  Json ranks;                 // describe_rank() of each
  // A worker without work ends when no daemon has answered for this long; one with work gives up
  // waiting for its lease.
  double patience_seconds = 120;
  // One that has finished its task, with a result that no daemon has taken, waits this long, then
  // ends: the result stays in the attempt's folder, from where the task's next worker sends it.
  double result_patience_seconds = 24 * 3600;
  // A worker that has had nothing to do for this long ends. 0: it waits for ever.
  double idle_seconds = 0;
};

// Rank 0's loop. Returns the program's exit code: 0 when told to end, kRestart after a failure that
// may have left collectives unfinished.
// `compute`: the same ranks on the device that tasks run on.
int lead(const SessionOptions& options, training::MpiCommunicator& communicator,
         training::Communicator& compute);

// The other ranks' loop: runs what rank 0 hands out.
int follow(const SessionOptions& options, training::MpiCommunicator& communicator,
           training::Communicator& compute);

// Exit code of a worker that wants to be started afresh.
constexpr int kRestart = 75;

}  // namespace remixer::worker
