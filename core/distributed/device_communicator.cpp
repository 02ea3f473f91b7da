// SPDX-License-Identifier: Apache-2.0
#include "core/distributed/device_communicator.h"

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

namespace remixer::training {

DeviceCommunicator::DeviceCommunicator(MpiCommunicator& mpi, at::Device device,
                                       c10::intrusive_ptr<c10d::ProcessGroup> group,
                                       GraphMaker graphs)
    : mpi_(mpi), device_(device), group_(std::move(group)), graphs_(std::move(graphs)) {}

DeviceCommunicator::~DeviceCommunicator() = default;

std::string DeviceCommunicator::broadcast(std::string bytes, int root) {
  return mpi_.broadcast(std::move(bytes), root);
}

std::vector<std::string> DeviceCommunicator::all_gather(const std::string& bytes) {
  return mpi_.all_gather(bytes);
}

void DeviceCommunicator::all_reduce_sum(at::Tensor& tensor) {
  if (size() == 1) return;
  if (tensor.device().type() != device_.type()) return mpi_.all_reduce_sum(tensor);
  std::vector<at::Tensor> tensors{tensor};
  group_->allreduce(tensors)->wait();
}

c10::intrusive_ptr<c10d::ProcessGroup> DeviceCommunicator::process_group() {
  return group_;
}

}  // namespace remixer::training
