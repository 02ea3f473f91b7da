// SPDX-License-Identifier: Apache-2.0
// Published data sets that a grid may name before they are imported: contents, publisher, command.
// Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace remixer::experiments {

struct KnownDataset {
  std::string name;                                     // in `remixer dataset import` or `build`
  std::vector<std::pair<std::string, int64_t>> splits;  // with image counts, "train" first
  int64_t image_size = 0;                               // pixels a side; 0: images vary in size
  int64_t classes = 0;
  double gigabytes = 0;  // approximate size on disk; if made from another set, what it adds
  std::string source;    // who publishes it and where
  std::string command;   // without --name
};

const std::vector<KnownDataset>& known_datasets();
// Null if the name is unknown.
const KnownDataset* find_known_dataset(std::string_view name);

}  // namespace remixer::experiments
