// SPDX-License-Identifier: Apache-2.0
// Communicator over MPI: CPU training's collectives, and the rendezvous for every device.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "core/distributed/communicator.h"

namespace remixer::training {

// MPI for the process's lifetime: initialised on construction, finalised on destruction. One object
// per process, created in main before any other thread.
class MpiSession {
 public:
  MpiSession(int* argc, char*** argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
};

// Another rank left a collective operation; what() is its own reason. The communicator may
// hold unfinished collectives and must not be used again: report the error, then end the
// program.
class PeerFailed : public Error {
 public:
  PeerFailed(int rank, bool bad_input, const std::string& reason)
      : Error(reason), rank(rank), bad_input(bad_input) {}
  int rank;
  bool bad_input;  // the peer ended on an InputError
};

// Some ranks did not join a collective in time; what() names ranks, collective and time.
class RanksMissing : public Error {
 public:
  RanksMissing(std::vector<int> ranks, const std::string& reason)
      : Error(reason), ranks(std::move(ranks)) {}
  std::vector<int> ranks;  // empty if all joined, but it did not finish
};

// All ranks of MPI_COMM_WORLD, on separate communicators. Collectives poll instead of blocking in
// MPI, so that a peer's alarm (PeerFailed) or the time-out (RanksMissing) can end them.
class MpiCommunicator : public Communicator {
 public:
  explicit MpiCommunicator(double timeout_seconds = 600);
  ~MpiCommunicator() override;

  int rank() const override;
  int size() const override;
  double timeout_seconds() const;
  void barrier() override { wait_for_all("barrier"); }
  // A barrier that is called `what` in messages.
  void wait_for_all(const char* what);
  std::string broadcast(std::string bytes, int root = 0) override;
  std::vector<std::string> all_gather(const std::string& bytes) override;
  void all_reduce_sum(at::Tensor& tensor) override;
  int64_t all_reduce_max(int64_t value) override;
  c10::intrusive_ptr<c10d::ProcessGroup> process_group() override;

  // Tells all other ranks that this one leaves the current operation, and why.
  void raise_alarm(bool bad_input, const std::string& reason);
  // As broadcast, for long waits: ranks other than root sleep between polls, and there is no
  // time-out.
  std::string broadcast_idle(std::string bytes, int root = 0);

  struct Group;  // the MPI part, shared with the process group's backend

 private:
  std::shared_ptr<Group> group_;
  c10::intrusive_ptr<c10d::ProcessGroup> process_group_;
};

}  // namespace remixer::training
