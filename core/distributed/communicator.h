// SPDX-License-Identifier: Apache-2.0
// Interface to the ranks that train one model, as seen from one of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace c10d {
class ProcessGroup;
}

namespace remixer::training {

// Collectives are called by every rank in the same order, from one thread a rank. A collective that
// failed, or that some rank did not arrive at in time, throws Error naming the call and the ranks
// that are missing; the group is then unusable.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // Where this rank's model and batches live, and what process_group() reduces.
  virtual at::Device device() const { return at::kCPU; }
  virtual void barrier() = 0;
  // Rank `root`'s bytes on every rank.
  virtual std::string broadcast(std::string bytes, int root = 0) = 0;
  // Every rank's bytes, in rank order, on every rank.
  virtual std::vector<std::string> all_gather(const std::string& bytes) = 0;
  // Element-wise sum over ranks, in place, in an order that depends on rank count alone.
  virtual void all_reduce_sum(at::Tensor& tensor) = 0;
  // The largest value over ranks: how ranks agree to stop.
  virtual int64_t all_reduce_max(int64_t value) = 0;
  // Called by every rank before gradients are joined. Where a rank that stays away would only be
  // noticed inside the device's own library, which cannot name it, this waits for all and names it.
  virtual void gather_for_gradients() {}
  // For c10d::Reducer. Null where size() == 1: there is nothing to reduce.
  virtual c10::intrusive_ptr<c10d::ProcessGroup> process_group() = 0;
};

// One rank alone. Collectives return at once.
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
