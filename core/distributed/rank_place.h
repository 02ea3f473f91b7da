// SPDX-License-Identifier: Apache-2.0
// Places ranks on hosts and GPUs: pure functions over a description of all
// ranks.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace remixer::training {

// One rank, as it describes itself to the others.
struct RankPlace {
  std::string host;               // for messages
  int node = 0;                   // the smallest rank on its machine: equal for a machine's ranks
  int local_rank = 0;             // among the machine's ranks: 0, 1, ...
  std::set<int> cores;            // processors that it may run on
  std::vector<std::string> gpus;  // UUIDs of the GPUs that it sees, in its own numbering
  std::string obstacle;           // why it cannot use a GPU; empty where it may

  std::string to_text() const;
  static RankPlace from_text(const std::string& text);
};

// Which GPU each rank works on, by the rank's own numbering: no two ranks the same card. It does
// not matter whether a rank sees all cards of its machine (mpirun, plain srun) or its own alone
// (--gpus-per-task, --gpu-bind): cards are told apart by UUID. A rank that sees several takes the
// one that its local rank counts to, where it can.
struct GpuPlan {
  std::vector<int> gpu;  // a rank each; empty where not every rank can have one
  std::string reason;    // then why, one line
};
GpuPlan plan_gpus(const std::vector<RankPlace>& ranks);

// How many of its machine's processors are this rank's: processors that several ranks may run on
// count in parts. At least 1.
int cores_of(const std::vector<RankPlace>& ranks, int rank);

// Threads that read images beside a rank that owns so many processors. A GPU's rank computes on one
// processor and reads with the others; a CPU's rank computes on all of them, and one reader feeds
// sixteen.
int usual_loader_threads(int cores, bool on_gpu);

}  // namespace remixer::training
