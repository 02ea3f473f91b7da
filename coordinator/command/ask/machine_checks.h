// SPDX-License-Identifier: Apache-2.0
// Checks this machine for `remixer doctor`: what is there, whether it is enough, what to do if
// not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::coordinator::command {

enum class Health {
  kGood,
  kAbsent,  // not there, and not needed
  kWarn,    // will do, with a drawback
  kBad,     // needed, and missing or broken
};
const char* to_string(Health health);

// One line of the listing.
struct Check {
  std::string name;
  Health health = Health::kGood;
  std::string found;
  std::string advice;  // what to do; empty where nothing is to be done
};

// NVIDIA's driver: the text of /proc/driver/nvidia/version ("" without one) and the cards that it
// shows. `needed`: GPUs were asked for.
Check check_driver(const std::string& version, size_t cards, bool needed);

// How the ranks were started, and what they answered: one look for several lines.
struct RanksTried {
  bool has_mpirun = false;
  int ranks = 1;        // asked for
  double seconds = 0;   // that they took
  std::string problem;  // why there is no answer; empty where there is
  Json answer;          // of `remixer-worker --describe`
};
// Starts `ranks` of the worker program under mpirun, with `labelers` (entries) to try.
RanksTried try_ranks(const std::filesystem::path& worker, int ranks, const std::string& device,
                     const Json& labelers, double patience_seconds);
// Lines about MPI and its ranks, GPUs and memory, CUDA and NCCL, the device that they would train
// on, and the labelers' weights.
std::vector<Check> check_ranks(const RanksTried& tried, bool gpu_needed);

// Slurm's commands and whether its controller answers.
Check check_slurm(bool needed);

// A folder that is, or could be, written to: its file system, and the room on it. The state
// folder's must not be one of a network.
Check check_folder(const std::string& name, const std::filesystem::path& folder);
Check check_state_folder(const std::filesystem::path& workspace);
Check check_room(const std::filesystem::path& folder, uint64_t least_bytes);

// How many files a process may have open.
Check check_open_files(uint64_t least);

}  // namespace remixer::coordinator::command
