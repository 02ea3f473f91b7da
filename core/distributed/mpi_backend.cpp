// SPDX-License-Identifier: Apache-2.0
#include "core/distributed/mpi_backend.h"

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/Work.hpp>

#include "core/distributed/mpi_group.h"

namespace remixer::training {
namespace {

// An operation that is already complete when returned.
class FinishedWork : public c10d::Work {
 public:
  FinishedWork(int rank, c10d::OpType type, std::vector<at::Tensor> outputs)
      : c10d::Work(rank, type), outputs_(std::move(outputs)) {
    future_ =
        c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()));
    future_->markCompleted(c10::IValue(outputs_));
    finish();
  }
  std::vector<at::Tensor> result() override { return outputs_; }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override { return future_; }
  bool wait(std::chrono::milliseconds) override { return true; }

 private:
  std::vector<at::Tensor> outputs_;
  c10::intrusive_ptr<c10::ivalue::Future> future_;
};

MPI_Op mpi_operation(const c10d::ReduceOp& operation) {
  switch (operation.op_) {
    case c10d::ReduceOp::SUM:
      return MPI_SUM;
    case c10d::ReduceOp::MAX:
      return MPI_MAX;
    case c10d::ReduceOp::MIN:
      return MPI_MIN;
    default:
      fail("the MPI backend reduces by sum, maximum and minimum only");
  }
}

class MpiBackend : public c10d::Backend {
 public:
  explicit MpiBackend(std::shared_ptr<MpiCommunicator::Group> group)
      : c10d::Backend(group->rank, group->size), group_(std::move(group)) {}

  const std::string getBackendName() const override { return "remixer-mpi"; }

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options) override {
    for (const at::Tensor& tensor : tensors) {
      TORCH_CHECK(tensor.is_contiguous(), "the MPI backend reduces contiguous tensors");
      group_->all_reduce(tensor, mpi_operation(options.reduceOp), group_->gradients,
                         "sum of gradients");
    }
    return finished(c10d::OpType::ALLREDUCE, tensors);
  }

  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors,
                                           const c10d::BroadcastOptions& options) override {
    for (const at::Tensor& tensor : tensors) {
      TORCH_CHECK(tensor.is_contiguous(), "the MPI backend broadcasts contiguous tensors");
      group_->broadcast(tensor.data_ptr(), static_cast<int64_t>(tensor.nbytes()),
                        static_cast<int>(options.rootRank), group_->gradients,
                        "broadcast of buckets");
    }
    return finished(c10d::OpType::BROADCAST, tensors);
  }

  // The Reducer uses this to compare parameter shapes between ranks.
  c10::intrusive_ptr<c10d::Work> allgather(std::vector<std::vector<at::Tensor>>& outputs,
                                           std::vector<at::Tensor>& inputs,
                                           const c10d::AllgatherOptions&) override {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const at::Tensor input = inputs[i].contiguous();
      for (int root = 0; root < group_->size; ++root) {
        at::Tensor piece = root == group_->rank ? input.clone() : at::empty_like(input);
        group_->broadcast(piece.data_ptr(), static_cast<int64_t>(piece.nbytes()), root,
                          group_->gradients, "comparison of parameters");
        outputs[i][static_cast<size_t>(root)].copy_(piece);
      }
    }
    std::vector<at::Tensor> flat;
    for (const auto& list : outputs) flat.insert(flat.end(), list.begin(), list.end());
    return finished(c10d::OpType::ALLGATHER, flat);
  }

  c10::intrusive_ptr<c10d::Work> barrier(const c10d::BarrierOptions&) override {
    at::Tensor one = at::ones({1}, at::kInt);
    group_->all_reduce(one, MPI_SUM, group_->gradients, "barrier");
    return finished(c10d::OpType::BARRIER, {});
  }

 private:
  c10::intrusive_ptr<c10d::Work> finished(c10d::OpType type,
                                          std::vector<at::Tensor> outputs) const {
    return c10::make_intrusive<FinishedWork>(getRank(), type, std::move(outputs));
  }

  std::shared_ptr<MpiCommunicator::Group> group_;
};

}  // namespace

c10::intrusive_ptr<c10d::ProcessGroup> make_mpi_process_group(
    std::shared_ptr<MpiCommunicator::Group> group) {
  auto store = c10::make_intrusive<c10d::HashStore>();
  auto process_group = c10::make_intrusive<c10d::ProcessGroup>(store, group->rank, group->size);
  auto backend = c10::make_intrusive<MpiBackend>(std::move(group));
  process_group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::CUSTOM, backend);
  process_group->setDefaultBackend(c10d::ProcessGroup::BackendType::CUSTOM);
  process_group->setGroupName("remixer");
  return process_group;
}

}  // namespace remixer::training
