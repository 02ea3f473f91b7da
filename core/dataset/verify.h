// SPDX-License-Identifier: Apache-2.0
// Verifies a data set's files against its manifest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace remixer::data {

struct Verification {
  std::map<std::string, int64_t> images;  // by split, as the indexes list them
  int64_t masks = 0;
  // One line each: files missing, torn, of a wrong size, listed twice or not at all; an image that
  // occurs twice in a split, or in both a split and "train"; a mask outside its box; a
  // content hash that differs from the manifest's. Empty for a valid dataset.
  std::vector<std::string> problems;
  // For an imported set: differences from the published set, one line each. An incomplete set is
  // not a fault of its files.
  std::vector<std::string> differences;
};

// Decodes every image and mask on all threads. Faults of single files are listed; throws InputError
// only if the manifest or an index cannot be read at all.
Verification verify_dataset(
    const std::filesystem::path& folder,
    const std::function<void(int64_t done, int64_t total)>& on_progress = {});

// The split names of a dataset's manifest, "train" first.
std::vector<std::string> dataset_splits(const std::filesystem::path& folder);

}  // namespace remixer::data
