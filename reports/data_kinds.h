// SPDX-License-Identifier: Apache-2.0
// What kind of data a data set is: its builder ("fashion-bg", "imagenet9"), or the published set
// that was imported ("background_challenge", "sketch_9"), whatever a grid calls it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::reports {

// All that a definition may name.
std::vector<std::string> known_data_kinds();

// Answers for the data sets of one workspace. What was imported is known by its manifest, which is
// read once.
class DataKinds {
 public:
  // `workspace`: the folder that holds datasets/; it may lack them.
  explicit DataKinds(const std::filesystem::path& workspace);

  // Of an entry as it stands in a cell or a task. `called`: the grid's name for it, which counts
  // where the manifest is gone and the name is that of a kind. Empty: not known.
  std::string kind(const Json& entry, const std::string& called) const;
  // Whether it is the training set of the paper's Tables 1-5 and 7 ("imagenet9" as published), or
  // of Table 6 ("imagenet").
  bool is_papers(const Json& entry, const std::string& kind) const;

 private:
  std::map<std::string, Json> made_by_;  // by manifest hash
};

}  // namespace remixer::reports
