// SPDX-License-Identifier: Apache-2.0
// ImageNet-9 and Tiny ImageNet-9, built from a user's photographs and boxes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/builders/background_challenge.h"

namespace remixer::data {

struct ChallengeJob {
  // "imagenet9" or "tiny-imagenet9" with every parameter, as experiments::dataset_entry() gives it.
  Json spec;
  std::filesystem::path photographs;  // see open_challenge_source()
  std::filesystem::path boxes;        // empty: Tiny ImageNet's own
  // Where it goes: a folder that must not exist, or, where `in_workspace`, a workspace, in which it
  // is called by its content.
  std::filesystem::path output;
  bool in_workspace = false;
  std::string name;      // for grids; may be empty outside a workspace
  bool replace = false;  // take the name from another dataset
  // What is being done, and how far it is. May throw to stop the build.
  std::function<void(const char* what, int64_t done, int64_t total)> on_progress;
};

struct ChallengeReport {
  std::filesystem::path folder;
  std::string layout;
  // Photographs looked at, by what became of them; [0] were taken or would have been. Those that
  // balancing left out unlooked at are not in it.
  std::array<int64_t, kRejections> outcomes{};
  std::map<std::string, int64_t> splits;
  std::vector<std::string> broken;  // "path: what is wrong", of images and boxes; the first hundred
};

// Builds it. A photograph that the rules refuse is counted, never an error. Killed at any moment,
// the next call with the same job goes on with what was finished; a finished dataset appears whole,
// by rename. Throws InputError where a class has no photograph left, Error where the disk is full.
ChallengeReport build_challenge(const ChallengeJob& job);

}  // namespace remixer::data
