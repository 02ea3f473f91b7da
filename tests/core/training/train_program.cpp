// SPDX-License-Identifier: Apache-2.0
// Trains the cell that has everything, for tests that kill it: alone, or under mpirun.
//
//   train_program DATA FOLDER ARCHITECTURE CHECKPOINT_SECONDS [PAUSE_AT]
//
// Prints "pid N" for each rank and, on rank 0, "step N" after each step and "done" at the end.
// Before PAUSE_AT's end it stands still, to be killed there.
#include <ATen/Parallel.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "core/distributed/mpi_communicator.h"
#include "core/training/trainer.h"
#include "tests/core/training/tiny_cell.h"

namespace {

using namespace remixer;

int run(int argc, char** argv, training::Communicator& communicator) {
  if (argc < 5) return kExitBadInput;
  at::set_num_threads(1);
  std::printf("pid %d\n", ::getpid());
  std::fflush(stdout);
  const remixer::testing::ClassLabels labels(data::Dataset::open(argv[1], "train"));
  training::TrainJob job;
  job.cell = remixer::testing::full_cell(argv[3]);
  job.dataset = argv[1];
  job.labels = &labels;
  job.folder = argv[2];
  job.checkpoint_seconds = std::atof(argv[4]);
  const int64_t pause_at = argc > 5 ? std::atoll(argv[5]) : -1;
  job.on_step = [&](const training::Progress& progress) {
    std::printf("step %lld\n", static_cast<long long>(progress.step));
    std::fflush(stdout);
    if (progress.step == pause_at) ::pause();
    return training::Directive::kContinue;
  };
  training::train(job, communicator);
  if (communicator.rank() == 0) std::printf("done\n");
  return kExitDone;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (!std::getenv("OMPI_COMM_WORLD_SIZE")) {
      training::SoloCommunicator solo;
      return run(argc, argv, solo);
    }
    training::MpiSession session(&argc, &argv);
    training::MpiCommunicator ranks(60);
    return run(argc, argv, ranks);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return kExitFailure;
  }
}
