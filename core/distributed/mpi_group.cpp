// SPDX-License-Identifier: Apache-2.0
#include "core/distributed/mpi_group.h"

#include <fmt/ranges.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/clock.h"

namespace remixer::training {
namespace {

constexpr int kAlarmTag = 1, kQuestionTag = 2, kAnswerTag = 3;
// How long peers have to answer a roll call; waiting peers poll every few milliseconds.
constexpr double kRollSeconds = 5;
// MPI counts are ints; larger tensors are sent in pieces.
constexpr int64_t kLargestCount = int64_t{1} << 28;

}  // namespace

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  fail("{}: {}", call, std::string_view(text.data(), static_cast<size_t>(length)));
}

MpiCommunicator::Group::Group(double timeout) : timeout_seconds(timeout) {
  REMIXER_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  REMIXER_MPI(MPI_Comm_size(MPI_COMM_WORLD, &size));
  for (MPI_Comm* communicator : {&control, &gradients, &alarms}) {
    REMIXER_MPI(MPI_Comm_dup(MPI_COMM_WORLD, communicator));
    REMIXER_MPI(MPI_Comm_set_errhandler(*communicator, MPI_ERRORS_RETURN));
  }
}

// MPI_Finalize frees the communicators: freeing one is collective, and after a failure a group may
// end on one rank only.
MpiCommunicator::Group::~Group() = default;

void MpiCommunicator::Group::send(int peer, int tag, std::string message) {
  // No wait: the peer may be gone. Messages are few and small enough to be sent eagerly.
  sent_.push_back(std::move(message));
  MPI_Request request;
  REMIXER_MPI(MPI_Isend(sent_.back().data(), static_cast<int>(sent_.back().size()), MPI_BYTE, peer,
                        tag, alarms, &request));
  REMIXER_MPI(MPI_Request_free(&request));
}

bool MpiCommunicator::Group::receive(int tag, std::string& message, int& source) {
  int waiting = 0;
  MPI_Status status;
  REMIXER_MPI(MPI_Iprobe(MPI_ANY_SOURCE, tag, alarms, &waiting, &status));
  if (!waiting) return false;
  int length = 0;
  REMIXER_MPI(MPI_Get_count(&status, MPI_BYTE, &length));
  message.assign(static_cast<size_t>(length), '\0');
  source = status.MPI_SOURCE;
  REMIXER_MPI(MPI_Recv(message.data(), length, MPI_BYTE, source, tag, alarms, MPI_STATUS_IGNORE));
  return true;
}

void MpiCommunicator::Group::check_alarms() {
  std::string message;
  int source = 0;
  if (receive(kAlarmTag, message, source)) {
    throw PeerFailed(source, message.starts_with('1'), message.substr(1));
  }
  while (receive(kQuestionTag, message, source)) {
    send(source, kAnswerTag, fmt::format("{} {} {}", message, place_.number, place_.what));
  }
}

void MpiCommunicator::Group::wait(MPI_Request& request, const char* what, bool idle) {
  const double start = system_clock().monotonic();
  place_ = {place_.number + 1, what};
  for (int64_t look = 0;; ++look) {
    int finished = 0;
    REMIXER_MPI(MPI_Test(&request, &finished, MPI_STATUS_IGNORE));
    if (finished) return;
    if (look % 64 != 63) {
      // Ranks may outnumber cores: yield the core instead of spinning.
      if (idle)
        ::usleep(2000);
      else
        ::sched_yield();
      if (!idle || look % 16 != 0) continue;
    }
    check_alarms();
    if (!idle && system_clock().monotonic() - start > timeout_seconds) return call_roll(request);
  }
}

void MpiCommunicator::Group::call_roll(MPI_Request& request) {
  answers_.clear();
  // Identifies the question: answers to an earlier one may still arrive.
  const std::string question = std::to_string(place_.number) + ' ';
  for (int peer = 0; peer < size; ++peer) {
    if (peer != rank) send(peer, kQuestionTag, question.substr(0, question.size() - 1));
  }
  const double start = system_clock().monotonic();
  while (system_clock().monotonic() - start < kRollSeconds &&
         static_cast<int>(answers_.size()) < size - 1) {
    int finished = 0;
    REMIXER_MPI(MPI_Test(&request, &finished, MPI_STATUS_IGNORE));
    if (finished) return;
    check_alarms();
    std::string message;
    int source = 0;
    while (receive(kAnswerTag, message, source)) {
      if (!message.starts_with(question)) continue;
      message.erase(0, question.size());
      const size_t space = message.find(' ');
      answers_[source] = {std::stoll(message.substr(0, space)), message.substr(space + 1)};
    }
    ::usleep(1000);
  }
  fail_missing();
}

void MpiCommunicator::Group::fail_missing() const {
  std::vector<int> missing;
  std::string elsewhere;
  for (int peer = 0; peer < size; ++peer) {
    if (peer == rank) continue;
    const auto answer = answers_.find(peer);
    if (answer == answers_.end()) {
      missing.push_back(peer);
    } else if (answer->second.number != place_.number) {
      elsewhere += fmt::format("; rank {} waits in another one ({})", peer, answer->second.what);
    }
  }
  const std::string time = duration_text(timeout_seconds);
  if (missing.empty()) {
    throw RanksMissing(
        {}, fmt::format("the {} of {} ranks did not end within {}, though all of them are "
                        "in a collective{}",
                        place_.what, size, time, elsewhere));
  }
  throw RanksMissing(
      missing,
      fmt::format("rank{} {} of {} did not arrive at the {} within {}; rank {} waited{}; look for "
                  "what hangs there, or for a machine that is gone",
                  missing.size() > 1 ? "s" : "", fmt::join(missing, ", "), size, place_.what, time,
                  rank, elsewhere));
}

void MpiCommunicator::Group::all_reduce(const at::Tensor& tensor, MPI_Op operation,
                                        MPI_Comm communicator, const char* what) {
  const MPI_Datatype type = mpi_type(tensor);
  auto* data = static_cast<char*>(tensor.data_ptr());
  for (int64_t done = 0; done < tensor.numel(); done += kLargestCount) {
    const int64_t count = std::min(kLargestCount, tensor.numel() - done);
    MPI_Request request;
    REMIXER_MPI(MPI_Iallreduce(MPI_IN_PLACE, data + done * tensor.element_size(),
                               static_cast<int>(count), type, operation, communicator, &request));
    wait(request, what);
  }
}

void MpiCommunicator::Group::broadcast(void* data, int64_t bytes, int root, MPI_Comm communicator,
                                       const char* what, bool idle) {
  for (int64_t done = 0; done < bytes; done += kLargestCount) {
    MPI_Request request;
    REMIXER_MPI(MPI_Ibcast(static_cast<char*>(data) + done,
                           static_cast<int>(std::min(kLargestCount, bytes - done)), MPI_BYTE, root,
                           communicator, &request));
    wait(request, what, idle);
  }
}

MPI_Datatype mpi_type(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return MPI_FLOAT;
    case at::kDouble:
      return MPI_DOUBLE;
    case at::kLong:
      return MPI_INT64_T;
    case at::kInt:
      return MPI_INT32_T;
    case at::kByte:
      return MPI_UINT8_T;
    default:
      fail("MPI cannot reduce tensors of type {}", c10::toString(tensor.scalar_type()));
  }
}

}  // namespace remixer::training
