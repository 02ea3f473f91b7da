// SPDX-License-Identifier: Apache-2.0
// MPI implementation of MpiCommunicator: communicators, waiting, alarms. Includes <mpi.h>.
#pragma once

#include <mpi.h>

#include <list>
#include <map>
#include <string>

#include "core/distributed/mpi_communicator.h"

namespace remixer::training {

// Throws Error with the call's text and MPI's error message if an MPI call fails.
void check_mpi(int code, const char* call);
#define REMIXER_MPI(call) ::remixer::training::check_mpi((call), #call)

struct MpiCommunicator::Group {
  explicit Group(double timeout_seconds);
  ~Group();

  int rank = 0, size = 1;
  double timeout_seconds;
  MPI_Comm control = MPI_COMM_NULL;    // this class's collectives
  MPI_Comm gradients = MPI_COMM_NULL;  // the Reducer's
  MPI_Comm alarms = MPI_COMM_NULL;

  // Waits for `request` of the collective `what`; throws PeerFailed or, after the time-out,
  // RanksMissing. `idle` sleeps between polls and never times out.
  void wait(MPI_Request& request, const char* what, bool idle = false);
  void all_reduce(const at::Tensor& tensor, MPI_Op operation, MPI_Comm communicator,
                  const char* what);
  void broadcast(void* data, int64_t bytes, int root, MPI_Comm communicator, const char* what,
                 bool idle = false);
  // Throws PeerFailed if a peer has raised an alarm; answers peers' roll calls.
  void check_alarms();

 private:
  // What a rank is waiting for: the number of its current wait, and the collective's name.
  struct Place {
    int64_t number = 0;
    std::string what;
  };
  // Roll call: asks every peer whether it is waiting too, and gives it a moment to answer. Ranks
  // that are not in a collective, but compute, hang or are gone, do not answer. Throws
  // RanksMissing, or returns if `request` has finished meanwhile.
  void call_roll(MPI_Request& request);
  [[noreturn]] void fail_missing() const;
  void send(int peer, int tag, std::string message);
  bool receive(int tag, std::string& message, int& source);

  Place place_;                   // this rank's
  std::map<int, Place> answers_;  // of peers, since the roll call
  std::list<std::string> sent_;   // messages that MPI may still read
};

// The MPI type of a tensor's elements; throws Error for types that are never reduced.
MPI_Datatype mpi_type(const at::Tensor& tensor);

}  // namespace remixer::training
