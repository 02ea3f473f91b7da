// SPDX-License-Identifier: Apache-2.0
// Builds ImageNet-9 and Tiny ImageNet-9 from a user's photographs and boxes.
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
#include "experiments/spec/component_spec.h"

namespace remixer::data {

struct ChallengeJob {
  // "imagenet9" or "tiny-imagenet9", as experiments::make_dataset_spec() makes it.
  experiments::DatasetSpec spec;
  std::filesystem::path photographs;  // see open_challenge_source()
  std::filesystem::path boxes;        // empty: Tiny ImageNet's own
  // Output folder, which must not exist; with `in_workspace`, a workspace instead, in which the
  // dataset's folder is named by its content.
  std::filesystem::path output;
  bool in_workspace = false;
  std::string name;      // for grids; may be empty outside a workspace
  bool replace = false;  // take the name from another dataset
  // Reports the current work and its progress. May throw to stop the build.
  std::function<void(const char* what, int64_t done, int64_t total)> on_progress;
};

struct ChallengeReport {
  std::filesystem::path folder;
  std::string layout;
  // Photographs checked, by outcome; [0]: accepted, or would have been. Photographs that balancing
  // left out unchecked are not counted.
  std::array<int64_t, kRejections> outcomes{};
  std::map<std::string, int64_t> splits;
  std::vector<std::string> broken;  // "path: what is wrong", of images and boxes; the first hundred
};

// Builds the dataset. A photograph that the rules reject is counted, never an error. After a kill,
// the next call with the same job resumes from the finished work; a finished dataset appears whole,
// by atomic rename. Throws InputError if a class has no photograph left, Error if the disk is full.
ChallengeReport build_challenge(const ChallengeJob& job);

}  // namespace remixer::data
