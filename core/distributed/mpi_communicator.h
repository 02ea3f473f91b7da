// SPDX-License-Identifier: Apache-2.0
// Ranks over MPI: CPU training's collectives, and every device's rendezvous.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "core/distributed/communicator.h"

namespace remixer::training {

// MPI for the life of the program: initialised on construction, finalised on destruction.
// One object a process, made in main before any other thread.
class MpiSession {
 public:
  MpiSession(int* argc, char*** argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
};

// Another rank gave up its part of a collective operation; what() is its own reason. The
// communicator may hold unfinished collectives and must not be used again: report, then end the
// program.
class PeerFailed : public Error {
 public:
  PeerFailed(int rank, bool bad_input, const std::string& reason)
      : Error(reason), rank(rank), bad_input(bad_input) {}
  int rank;
  bool bad_input;  // the peer ended on an InputError
};

// Some ranks did not come to a collective in time; what() names them, the collective and the time.
class RanksMissing : public Error {
 public:
  RanksMissing(std::vector<int> ranks, const std::string& reason)
      : Error(reason), ranks(std::move(ranks)) {}
  std::vector<int> ranks;  // empty where all came, but it did not end
};

// All ranks of MPI_COMM_WORLD, on communicators of its own. Collectives wait without blocking the
// MPI library, so that a peer's alarm or the time-out can end them: PeerFailed or RanksMissing.
class MpiCommunicator : public Communicator {
 public:
  explicit MpiCommunicator(double timeout_seconds = 600);
  ~MpiCommunicator() override;

  int rank() const override;
  int size() const override;
  double timeout_seconds() const;
  void barrier() override { wait_for_all("barrier"); }
  // A barrier that messages call `what`.
  void wait_for_all(const char* what);
  std::string broadcast(std::string bytes, int root = 0) override;
  std::vector<std::string> all_gather(const std::string& bytes) override;
  void all_reduce_sum(at::Tensor& tensor) override;
  int64_t all_reduce_max(int64_t value) override;
  c10::intrusive_ptr<c10d::ProcessGroup> process_group() override;

  // Tells all other ranks that this one leaves the current operation, and why.
  void raise_alarm(bool bad_input, const std::string& reason);
  // As broadcast, for long waits: ranks other than root sleep between looks, and no time-out ends
  // it.
  std::string broadcast_idle(std::string bytes, int root = 0);

  struct Group;  // the MPI side, shared with the process group's backend

 private:
  std::shared_ptr<Group> group_;
  c10::intrusive_ptr<c10d::ProcessGroup> process_group_;
};

}  // namespace remixer::training
