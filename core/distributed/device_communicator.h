// SPDX-License-Identifier: Apache-2.0
// Communicator for ranks with separate devices: bytes and agreements go over MPI, tensors over a
// process group of the device's library.
#pragma once

#include <functional>

#include "core/distributed/mpi_communicator.h"

namespace remixer::training {

class DeviceCommunicator : public Communicator {
 public:
  using GraphMaker = std::function<std::unique_ptr<DeviceGraph>()>;

  // `mpi` must outlive it. `group` reduces tensors on `device`; null with one rank. `graphs` makes
  // the device's recordings.
  DeviceCommunicator(MpiCommunicator& mpi, at::Device device,
                     c10::intrusive_ptr<c10d::ProcessGroup> group, GraphMaker graphs);
  ~DeviceCommunicator() override;

  int rank() const override { return mpi_.rank(); }
  int size() const override { return mpi_.size(); }
  at::Device device() const override { return device_; }
  std::unique_ptr<DeviceGraph> make_graph() override { return graphs_(); }
  void barrier() override { mpi_.barrier(); }
  std::string broadcast(std::string bytes, int root) override;
  std::vector<std::string> all_gather(const std::string& bytes) override;
  void all_reduce_sum(at::Tensor& tensor) override;
  int64_t all_reduce_max(int64_t value) override { return mpi_.all_reduce_max(value); }
  // Waits over MPI before entering the device's library, so that a missing rank is named.
  void gather_for_gradients() override { mpi_.wait_for_all("sum of gradients"); }
  c10::intrusive_ptr<c10d::ProcessGroup> process_group() override;

 private:
  MpiCommunicator& mpi_;
  at::Device device_;
  c10::intrusive_ptr<c10d::ProcessGroup> group_;
  GraphMaker graphs_;
};

}  // namespace remixer::training
