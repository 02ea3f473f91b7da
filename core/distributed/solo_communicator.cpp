// SPDX-License-Identifier: Apache-2.0
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "core/distributed/communicator.h"

namespace remixer::training {

c10::intrusive_ptr<c10d::ProcessGroup> SoloCommunicator::process_group() {
  return {};
}

}  // namespace remixer::training
