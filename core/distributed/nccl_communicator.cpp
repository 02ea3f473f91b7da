// Compiled into libremixer_cuda.so only.
#include <c10/cuda/CUDAFunctions.h>
#include <unistd.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <array>
#include <chrono>

#include "core/distributed/nccl_plugin.h"

namespace remixer::training {
namespace {

// Rank 0's address for the others: its host name, which MPI has already made use of.
std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

c10::intrusive_ptr<c10d::TCPStore> open_store(MpiCommunicator& rendezvous) {
  c10d::TCPStoreOptions options;
  options.numWorkers = static_cast<size_t>(rendezvous.size());
  options.waitWorkers = false;
  options.port = 0;
  if (rendezvous.rank() == 0) {
    options.isServer = true;
    auto store = c10::make_intrusive<c10d::TCPStore>("localhost", options);
    rendezvous.broadcast(fmt::format("{} {}", store->getPort(), host_name()));
    return store;
  }
  const std::string address = rendezvous.broadcast("");
  const size_t space = address.find(' ');
  options.port = static_cast<uint16_t>(std::stoi(address.substr(0, space)));
  return c10::make_intrusive<c10d::TCPStore>(address.substr(space + 1), options);
}

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(MpiCommunicator& rendezvous, int device) : mpi_(rendezvous), device_(device) {
    if (c10::cuda::device_count_ensure_non_zero() <= device) {
      fail("rank {} asks for GPU {}, this machine has {}", rank(), device,
           c10::cuda::device_count());
    }
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(device));
    if (size() == 1) return;
    auto store = open_store(rendezvous);
    group_ = c10::make_intrusive<c10d::ProcessGroup>(store, rank(), size());
    // Ranks meet over MPI before they enter NCCL, where a missing one is named. What is left for
    // this time-out, which ends the process, are faults of the network and the cards.
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout =
        std::chrono::milliseconds(static_cast<int64_t>(1000 * rendezvous.timeout_seconds()));
    auto backend =
        c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank(), size(), std::move(options));
    group_->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, backend);
    group_->setDefaultBackend(c10d::ProcessGroup::BackendType::NCCL);
    group_->setGroupName("remixer");
  }

  int rank() const override { return mpi_.rank(); }
  int size() const override { return mpi_.size(); }
  at::Device device() const override { return {at::kCUDA, static_cast<c10::DeviceIndex>(device_)}; }
  void barrier() override { mpi_.barrier(); }
  std::string broadcast(std::string bytes, int root) override {
    return mpi_.broadcast(std::move(bytes), root);
  }
  std::vector<std::string> all_gather(const std::string& bytes) override {
    return mpi_.all_gather(bytes);
  }
  int64_t all_reduce_max(int64_t value) override { return mpi_.all_reduce_max(value); }
  void all_reduce_sum(at::Tensor& tensor) override {
    if (!tensor.is_cuda()) return mpi_.all_reduce_sum(tensor);
    std::vector<at::Tensor> tensors{tensor};
    group_->allreduce(tensors)->wait();
  }
  void gather_for_gradients() override { mpi_.wait_for_all("sum of gradients"); }
  c10::intrusive_ptr<c10d::ProcessGroup> process_group() override { return group_; }

 private:
  MpiCommunicator& mpi_;
  int device_;
  c10::intrusive_ptr<c10d::ProcessGroup> group_;  // null with one rank
};

}  // namespace
}  // namespace remixer::training

extern "C" int remixer_count_gpus() {
  return c10::cuda::device_count();
}

extern "C" remixer::training::Communicator* remixer_make_nccl_communicator(
    remixer::training::MpiCommunicator* rendezvous, int device) {
  return new remixer::training::NcclCommunicator(*rendezvous, device);
}
