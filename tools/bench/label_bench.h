// SPDX-License-Identifier: Apache-2.0
// `remixer labels bench`: speed of a packed label file as large as ImageNet's.
#pragma once

#include <cstdint>
#include <filesystem>

namespace remixer::labelcache {

struct BenchOptions {
  std::filesystem::path source;  // a file of top-k maps, repeated; empty: generated maps
  std::filesystem::path folder;  // where the large file is created, then removed
  int64_t images = 1281167;      // number of ImageNet's training images
  double seconds = 3;            // per measurement
};

// Writes a file of `images` maps; prints its size relative to raw data, the time to open it, and
// random reads per second on one core by form. Throws InputError if `source` holds dense maps.
void bench_labels(const BenchOptions& options);

}  // namespace remixer::labelcache
