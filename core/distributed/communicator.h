// SPDX-License-Identifier: Apache-2.0
// Interface to the group of ranks that train one model, as seen from one rank.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/distributed/device_graph.h"

namespace c10d {
class ProcessGroup;
}

namespace remixer::training {

// Every rank calls the collectives in the same order, from one thread per rank. If a collective
// fails, or some rank does not arrive in time, it throws Error naming the call and the missing
// ranks; the group is then unusable.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // Device of this rank's model and batches, and of the tensors that process_group() reduces.
  virtual at::Device device() const { return at::kCPU; }
  // A new recording for the device; null if the device has none, as a CPU.
  virtual std::unique_ptr<DeviceGraph> make_graph() { return nullptr; }
  virtual void barrier() = 0;
  // Rank `root`'s bytes on every rank.
  virtual std::string broadcast(std::string bytes, int root = 0) = 0;
  // Every rank's bytes, in rank order, on every rank.
  virtual std::vector<std::string> all_gather(const std::string& bytes) = 0;
  // Element-wise sum over ranks, in place, in an order that depends on the rank count alone.
  virtual void all_reduce_sum(at::Tensor& tensor) = 0;
  // The maximum over ranks: used to agree on stopping.
  virtual int64_t all_reduce_max(int64_t value) = 0;
  // Every rank calls it before gradients are reduced. If the device's own library would not name a
  // missing rank, this waits for all ranks and names it.
  virtual void gather_for_gradients() {}
  // For c10d::Reducer. Null if size() == 1: there is nothing to reduce.
  virtual c10::intrusive_ptr<c10d::ProcessGroup> process_group() = 0;
};

// A single rank. Collectives return at once.
class SoloCommunicator : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void barrier() override {}
  std::string broadcast(std::string bytes, int) override { return bytes; }
  std::vector<std::string> all_gather(const std::string& bytes) override { return {bytes}; }
  void all_reduce_sum(at::Tensor&) override {}
  int64_t all_reduce_max(int64_t value) override { return value; }
  c10::intrusive_ptr<c10d::ProcessGroup> process_group() override;
};

}  // namespace remixer::training
