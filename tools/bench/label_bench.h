// SPDX-License-Identifier: Apache-2.0
// `remixer labels bench`: speed of a packed label file at the size of ImageNet.
#pragma once

#include <cstdint>
#include <filesystem>

namespace remixer::labelcache {

struct BenchOptions {
  std::filesystem::path source;  // a file of top-k maps, repeated; empty: maps that are made up
  std::filesystem::path folder;  // where the large file is made, and removed again
  int64_t images = 1281167;      // ImageNet's training images
  double seconds = 3;            // of each measurement
};

// Writes a file of `images` maps and prints its size against raw, how long it takes to open, and
// random reads a second on one core by form. Throws InputError where `source` holds dense maps.
void bench_labels(const BenchOptions& options);

}  // namespace remixer::labelcache
