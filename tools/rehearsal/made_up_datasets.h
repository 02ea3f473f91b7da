// SPDX-License-Identifier: Apache-2.0
// Makes data sets for a rehearsal: a few made-up images in the folders, names, classes and splits
// of the published set, imported by the real builder or importer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::rehearsal {

struct DatasetOrder {
  std::string name;                 // its name in the grid
  std::string kind;                 // a published set's or builder's name; else the user's own
  std::vector<std::string> splits;  // of the user's own set: those named in the grid
  int64_t classes = 0;              // of the user's own
  int64_t image_size = 0;           // of the user's own; 0: images vary in size
  int64_t train_images = 0;         // minimum
};
// Throws InputError naming a field that is missing or wrong.
DatasetOrder dataset_order(const Json& json);

// Makes its files in `sources`/<name> and adds them to `workspace` under its name. Throws as the
// builder and importer do.
void make_dataset(const DatasetOrder& order, const std::filesystem::path& sources,
                  const std::filesystem::path& workspace);

}  // namespace remixer::rehearsal
