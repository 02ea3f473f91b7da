// SPDX-License-Identifier: Apache-2.0
// Assigns GPUs and processors to ranks: pure functions of a description of all
// ranks.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace remixer::training {

// One rank's description of itself for the others.
struct RankPlace {
  std::string host;               // for messages
  int node = 0;                   // the smallest rank on its machine; identifies the machine
  int local_rank = 0;             // among the machine's ranks: 0, 1, ...
  std::set<int> cores;            // processors that it may run on
  std::vector<std::string> gpus;  // UUIDs of the GPUs that it sees, in its own numbering
  std::string obstacle;           // why it cannot use a GPU; empty if it can

  std::string to_text() const;
  static RankPlace from_text(const std::string& text);
};

// Which GPU each rank uses, in the rank's own numbering; no two ranks share a GPU. A rank may see
// all GPUs of its machine (mpirun, plain srun) or only its own (--gpus-per-task, --gpu-bind): GPUs
// are identified by UUID. A rank that sees several takes the one at its local rank's index, if
// possible.
struct GpuPlan {
  std::vector<int> gpu;  // one per rank; empty if not every rank can have one
  std::string reason;    // the reason then, in one line
};
GpuPlan plan_gpus(const std::vector<RankPlace>& ranks);

// The number of its machine's processors that belong to this rank: shared processors count in
// fractions. At least 1.
int cores_of(const std::vector<RankPlace>& ranks, int rank);

// Image loading threads for a rank with this many processors. A GPU rank computes on one
// processor and loads on the others; a CPU rank computes on all of them, with one loader thread
// per sixteen.
int usual_loader_threads(int cores, bool on_gpu);

}  // namespace remixer::training
