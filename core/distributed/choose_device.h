// SPDX-License-Identifier: Apache-2.0
// Which device the ranks train on.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/distributed/mpi_communicator.h"

namespace remixer::training {

struct ChosenDevice {
  // Over this rank's own GPU; null on the CPU, where the MPI ranks themselves serve.
  std::unique_ptr<Communicator> gpu;
  std::string reason;  // one line for the log: what was chosen, and why
  int cores = 1;  // the rank's share of its machine's processors (core/distributed/rank_place.h)

  Communicator& communicator(MpiCommunicator& ranks) const {
    return gpu ? *gpu : static_cast<Communicator&>(ranks);
  }
};

// Collective; all ranks choose alike. `wish`: "cpu"; "cuda": a GPU for each rank or an error;
// "auto": GPUs where every rank can have one of its own, else the CPU, whatever the trouble with
// them was. `folder` holds libremixer_cuda.so, `devices` is /dev. Throws InputError where "cuda"
// cannot be had, saying what is missing on which machine.
ChosenDevice choose_device(const std::string& wish, const std::filesystem::path& folder,
                           MpiCommunicator& ranks, const std::filesystem::path& devices = "/dev");

}  // namespace remixer::training
