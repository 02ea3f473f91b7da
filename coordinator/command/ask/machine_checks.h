// SPDX-License-Identifier: Apache-2.0
// Checks this machine for `remixer doctor`: what is present, whether it is sufficient, and what to
// do if not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "experiments/spec/component_spec.h"

namespace remixer::coordinator::command {

enum class Health {
  kGood,
  kAbsent,  // missing, but not needed
  kWarn,    // usable, with a drawback
  kBad,     // needed, and missing or broken
};
const char* to_string(Health health);

// One line of the report.
struct Check {
  std::string name;
  Health health = Health::kGood;
  std::string found;
  std::string advice;  // what to do; empty if nothing
};

// NVIDIA's driver: the text of /proc/driver/nvidia/version ("" if missing) and the number of cards
// that it reports. `needed`: GPUs were requested.
Check check_driver(const std::string& version, size_t cards, bool needed);

// Result of one trial start of the ranks, used for several lines.
struct RanksTried {
  bool has_mpirun = false;
  int ranks = 1;        // requested
  double seconds = 0;   // duration
  std::string problem;  // why there is no answer; empty if there is one
  Json answer;          // output of `remixer-worker --describe`
};
// Starts `ranks` ranks of the worker program under mpirun and lets them try `labelers`.
RanksTried try_ranks(const std::filesystem::path& worker, int ranks, const std::string& device,
                     const std::set<experiments::LabelerSpec>& labelers, double patience_seconds);
// Lines about MPI and its ranks, GPUs and memory, CUDA and NCCL, the device that would be used for
// training, and the labelers' weights.
std::vector<Check> check_ranks(const RanksTried& tried, bool gpu_needed);

// Whether Slurm's commands exist and its controller answers.
Check check_slurm(bool needed);

// Whether a folder is, or could be made, writable; its file system and free space. The state folder
// must not be on a network file system.
Check check_folder(const std::string& name, const std::filesystem::path& folder);
Check check_state_folder(const std::filesystem::path& workspace);
Check check_room(const std::filesystem::path& folder, uint64_t least_bytes);

// The maximum number of open files per process.
Check check_open_files(uint64_t least);

}  // namespace remixer::coordinator::command
