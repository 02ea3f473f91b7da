// SPDX-License-Identifier: Apache-2.0
// Under mpirun: the ranks named as arguments stay away from a collective, the others wait for it.
//
//   missing_rank_program sum|gradients|barrier RANK...
#include <ATen/ATen.h>
#include <mpi.h>
#include <unistd.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include <iostream>
#include <set>

#include "core/distributed/mpi_communicator.h"

namespace {

using namespace remixer::training;

void meet(MpiCommunicator& ranks, const std::string& collective) {
  at::Tensor values = at::ones({4});
  std::vector<at::Tensor> tensors{values};
  if (collective == "sum") ranks.all_reduce_sum(values);
  if (collective == "gradients") ranks.process_group()->allreduce(tensors)->wait();
  if (collective == "barrier") ranks.barrier();
}

}  // namespace

int main(int argc, char** argv) {
  MpiSession session(&argc, &argv);
  MpiCommunicator ranks(1.5);
  const std::string collective = argv[1];
  std::set<int> absent;
  for (int i = 2; i < argc; ++i) absent.insert(std::stoi(argv[i]));
  meet(ranks, collective);  // all of them, once
  if (absent.contains(ranks.rank())) ::sleep(600);
  try {
    meet(ranks, collective);
  } catch (const RanksMissing& missing) {
    std::cerr << "<" << missing.what() << ">" << std::endl;
    // The first to know ends all.
    MPI_Abort(MPI_COMM_WORLD, 9);
  }
  return 0;
}
