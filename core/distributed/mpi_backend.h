// SPDX-License-Identifier: Apache-2.0
// c10d process group over the MPI ranks: LibTorch's Reducer sums gradients with it.
#pragma once

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include <memory>

#include "core/distributed/mpi_communicator.h"

namespace remixer::training {

// A process group whose only backend, for CPU tensors, is `group`'s gradient communicator. Every
// operation is complete when it returns, and so is its Work.
c10::intrusive_ptr<c10d::ProcessGroup> make_mpi_process_group(
    std::shared_ptr<MpiCommunicator::Group> group);

}  // namespace remixer::training
