// SPDX-License-Identifier: Apache-2.0
// Makes weights and maps for a rehearsal if the user's own are missing: real networks with the same
// input and output but random weights, and random maps for the rehearsal's data sets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::rehearsal {

struct WeightsOrder {
  std::string kind;            // the labeler
  std::string name;            // its name in the workspace
  std::filesystem::path from;  // the user's own, used unchanged; or empty
  int64_t input_size = 224;    // of a script's network
  std::vector<std::pair<std::string, std::string>> splits;  // for maps: data set's name, split
};
WeightsOrder weights_order(const Json& json);

struct MadeWeights {
  std::string key, sha256;  // as a grid pins them
  int64_t parameters = 0;   // of the network; 0: none
  bool whole = true;        // false: a smaller network than the real one
};
// Writes them into `workspace`.
MadeWeights make_weights(const WeightsOrder& order, const std::filesystem::path& sources,
                         const std::filesystem::path& workspace);

}  // namespace remixer::rehearsal
