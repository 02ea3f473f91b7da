#include "core/distributed/mpi_group.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "core/base/clock.h"

namespace remixer::training {
namespace {

constexpr int kAlarmTag = 1;
// MPI counts are ints; larger tensors go in pieces.
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

// The communicators are left to MPI_Finalize: freeing one is collective, and a group may end on one
// rank alone, after a failure.
MpiCommunicator::Group::~Group() = default;

void MpiCommunicator::Group::check_alarms() {
  int waiting = 0;
  MPI_Status status;
  REMIXER_MPI(MPI_Iprobe(MPI_ANY_SOURCE, kAlarmTag, alarms, &waiting, &status));
  if (!waiting) return;
  int length = 0;
  REMIXER_MPI(MPI_Get_count(&status, MPI_BYTE, &length));
  std::string message(static_cast<size_t>(length), '\0');
  REMIXER_MPI(MPI_Recv(message.data(), length, MPI_BYTE, status.MPI_SOURCE, kAlarmTag, alarms,
                       MPI_STATUS_IGNORE));
  throw PeerFailed(status.MPI_SOURCE, message.starts_with('1'), message.substr(1));
}

void MpiCommunicator::Group::wait(MPI_Request& request, const char* what, bool idle) {
  const double start = system_clock().monotonic();
  for (int64_t look = 0;; ++look) {
    int finished = 0;
    REMIXER_MPI(MPI_Test(&request, &finished, MPI_STATUS_IGNORE));
    if (finished) return;
    if (look % 64 != 63) {
      // Ranks may outnumber cores: give the core away rather than spin on it.
      if (idle) ::usleep(2000); else ::sched_yield();
      if (!idle || look % 16 != 0) continue;
    }
    check_alarms();
    if (!idle && system_clock().monotonic() - start > timeout_seconds) {
      fail("rank {} of {} waited {} for its peers in {}; one of them hangs or is gone", rank, size,
           duration_text(timeout_seconds), what);
    }
  }
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
    case at::kFloat: return MPI_FLOAT;
    case at::kDouble: return MPI_DOUBLE;
    case at::kLong: return MPI_INT64_T;
    case at::kInt: return MPI_INT32_T;
    case at::kByte: return MPI_UINT8_T;
    default: fail("MPI cannot reduce tensors of type {}", c10::toString(tensor.scalar_type()));
  }
}

}  // namespace remixer::training
