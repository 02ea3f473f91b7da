// SPDX-License-Identifier: Apache-2.0
// Chooses the device that the ranks train on.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/distributed/mpi_communicator.h"

namespace remixer::training {

struct ChosenDevice {
  // Communicator for this rank's own GPU; null on the CPU, where the MPI ranks are used directly.
  std::unique_ptr<Communicator> gpu;
  std::string reason;  // one line for the log: what was chosen, and why
  int cores = 1;  // the rank's share of its machine's processors (core/distributed/rank_place.h)
  int ranks_here = 1;  // on its machine, itself included

  Communicator& communicator(MpiCommunicator& ranks) const {
    return gpu ? *gpu : static_cast<Communicator&>(ranks);
  }
};

// Collective; all ranks choose the same kind. `wish`: "cpu"; "cuda": a GPU for each rank, or an
// error; "auto": GPUs if every rank can have its own, else the CPU, whatever the problem with the
// GPUs. `folder` holds libremixer_cuda.so, `devices` is /dev. Throws InputError if "cuda" is not
// possible, saying what is missing on which machine.
ChosenDevice choose_device(const std::string& wish, const std::filesystem::path& folder,
                           MpiCommunicator& ranks, const std::filesystem::path& devices = "/dev");

}  // namespace remixer::training
