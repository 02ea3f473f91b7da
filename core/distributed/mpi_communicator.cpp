// SPDX-License-Identifier: Apache-2.0
#include "core/distributed/mpi_communicator.h"

#include "core/distributed/mpi_backend.h"
#include "core/distributed/mpi_group.h"

namespace remixer::training {

MpiSession::MpiSession(int* argc, char*** argv) {
  int granted = 0;
  REMIXER_MPI(MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &granted));
  if (granted < MPI_THREAD_SERIALIZED) {
    fail("this MPI library grants thread level {} only; build it with thread support", granted);
  }
}

MpiSession::~MpiSession() {
  MPI_Finalize();
}

MpiCommunicator::MpiCommunicator(double timeout_seconds)
    : group_(std::make_shared<Group>(timeout_seconds)) {}

MpiCommunicator::~MpiCommunicator() = default;

int MpiCommunicator::rank() const {
  return group_->rank;
}
int MpiCommunicator::size() const {
  return group_->size;
}

double MpiCommunicator::timeout_seconds() const {
  return group_->timeout_seconds;
}

void MpiCommunicator::wait_for_all(const char* what) {
  MPI_Request request;
  REMIXER_MPI(MPI_Ibarrier(group_->control, &request));
  group_->wait(request, what);
}

std::string MpiCommunicator::broadcast(std::string bytes, int root) {
  auto size = static_cast<int64_t>(bytes.size());
  group_->broadcast(&size, sizeof size, root, group_->control, "broadcast");
  bytes.resize(static_cast<size_t>(size));
  group_->broadcast(bytes.data(), size, root, group_->control, "broadcast");
  return bytes;
}

std::string MpiCommunicator::broadcast_idle(std::string bytes, int root) {
  auto size = static_cast<int64_t>(bytes.size());
  group_->broadcast(&size, sizeof size, root, group_->control, "broadcast", true);
  bytes.resize(static_cast<size_t>(size));
  group_->broadcast(bytes.data(), size, root, group_->control, "broadcast");
  return bytes;
}

std::vector<std::string> MpiCommunicator::all_gather(const std::string& bytes) {
  std::vector<std::string> pieces(static_cast<size_t>(size()));
  for (int root = 0; root < size(); ++root) {
    pieces[static_cast<size_t>(root)] = broadcast(root == rank() ? bytes : std::string(), root);
  }
  return pieces;
}

void MpiCommunicator::all_reduce_sum(at::Tensor& tensor) {
  if (!tensor.is_contiguous()) fail("only contiguous tensors are reduced");
  group_->all_reduce(tensor, MPI_SUM, group_->control, "sum over ranks");
}

int64_t MpiCommunicator::all_reduce_max(int64_t value) {
  int64_t largest = value;
  MPI_Request request;
  REMIXER_MPI(
      MPI_Iallreduce(MPI_IN_PLACE, &largest, 1, MPI_INT64_T, MPI_MAX, group_->control, &request));
  group_->wait(request, "maximum over ranks");
  return largest;
}

c10::intrusive_ptr<c10d::ProcessGroup> MpiCommunicator::process_group() {
  if (size() == 1) return {};
  if (!process_group_) process_group_ = make_mpi_process_group(group_);
  return process_group_;
}

void MpiCommunicator::raise_alarm(bool bad_input, const std::string& reason) {
  const std::string message = (bad_input ? "1" : "0") + reason;
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    // No wait: the peer may be gone. The message is small enough to be sent eagerly.
    MPI_Request request;
    MPI_Isend(message.data(), static_cast<int>(message.size()), MPI_BYTE, peer, 1, group_->alarms,
              &request);
    int sent = 0;
    for (int look = 0; look < 1000 && !sent; ++look) MPI_Test(&request, &sent, MPI_STATUS_IGNORE);
  }
}

}  // namespace remixer::training
