// SPDX-License-Identifier: Apache-2.0
// Determines a data set's kind: its builder ("fashion-bg", "imagenet9"), or the published set that
// was imported ("background_challenge", "sketch_9"), whatever a grid calls it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::reports {

// All kinds that a definition may name.
std::vector<std::string> known_data_kinds();

// Kinds of the data sets of one workspace. Imported sets are identified by their manifests, which
// are read once.
class DataKinds {
 public:
  // `workspace`: the folder that contains datasets/; some datasets may be missing there.
  explicit DataKinds(const std::filesystem::path& workspace);

  // The kind of a dataset entry in a cell or task. `called`: the grid's name for it, used if the
  // manifest is gone and the name is that of a kind. Empty: not known.
  std::string kind(const Json& entry, const std::string& called) const;
  // Whether it is the training set of the paper's Tables 1-5 and 7 ("imagenet9" as published), or
  // of Table 6 ("imagenet").
  bool is_papers(const Json& entry, const std::string& kind) const;

 private:
  std::map<std::string, Json> made_by_;  // by manifest hash
};

}  // namespace remixer::reports
