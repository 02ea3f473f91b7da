// SPDX-License-Identifier: Apache-2.0
// Weights and maps for a rehearsal, where the user's own are missing: real networks of the same
// input and output, with random weights, and random maps of the rehearsal's own data sets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::rehearsal {

struct WeightsOrder {
  std::string kind;            // the labeler
  std::string name;            // the workspace's name for the pin
  std::filesystem::path from;  // of the user's own, which are taken as they are; or empty
  int64_t input_size = 224;    // of a script's network
  std::vector<std::pair<std::string, std::string>> splits;  // of maps: data set's name, split
};
WeightsOrder weights_order(const Json& json);

struct MadeWeights {
  std::string key, sha256;  // as a grid pins them
  int64_t parameters = 0;   // of the network; 0: none
  bool whole = true;        // false: a smaller network than the real one
};
// Puts them into `workspace`.
MadeWeights make_weights(const WeightsOrder& order, const std::filesystem::path& sources,
                         const std::filesystem::path& workspace);

}  // namespace remixer::rehearsal
