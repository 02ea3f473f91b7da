// SPDX-License-Identifier: Apache-2.0
// Data sets for a rehearsal: a few made-up images in the folders, names, classes and splits of the
// published set, taken in by the real builder or importer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::rehearsal {

struct DatasetOrder {
  std::string name;                 // what the grid calls it
  std::string kind;                 // a published set's or builder's name; else of the user's own
  std::vector<std::string> splits;  // of the user's own: those that the grid names
  int64_t classes = 0;              // of the user's own
  int64_t image_size = 0;           // of the user's own; 0: of many sizes
  int64_t train_images = 0;         // at least so many
};
// Throws InputError naming a field that is missing or wrong.
DatasetOrder dataset_order(const Json& json);

// Makes its files in `sources`/<name> and takes them into `workspace` under its name. Throws as
// builder and importer do.
void make_dataset(const DatasetOrder& order, const std::filesystem::path& sources,
                  const std::filesystem::path& workspace);

}  // namespace remixer::rehearsal
