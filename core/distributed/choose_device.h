// Which device the ranks train on.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/distributed/mpi_communicator.h"

namespace remixer::training {

struct ChosenDevice {
  // NCCL's communicator over this rank's own GPU; null on the CPU, where the MPI ranks themselves
  // serve.
  std::unique_ptr<Communicator> gpu;
  std::string reason;  // one line for the log: what was chosen, and why

  Communicator& communicator(MpiCommunicator& ranks) const {
    return gpu ? *gpu : static_cast<Communicator&>(ranks);
  }
};

// Collective; all ranks choose alike. `wish`: "cpu"; "cuda": a GPU for each rank or an error;
// "auto": GPUs where every rank has one of its own, else the CPU. A machine's ranks take its GPUs
// in rank order. `folder` holds libremixer_cuda.so. Throws InputError where "cuda" cannot be had,
// saying what is missing on which machine.
ChosenDevice choose_device(const std::string& wish, const std::filesystem::path& folder,
                           MpiCommunicator& ranks);

}  // namespace remixer::training
