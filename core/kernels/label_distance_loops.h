// SPDX-License-Identifier: Apache-2.0
// Cosine distances between an image's patch labels on a CPU, if a patch names few of many classes
// and all others share one value, as ReLabel's top-k maps give them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/kernels/vector_level.h"

namespace remixer::kernels {

// Working memory of the distances of one image after another. One thread at a time.
class SparseCosine {
 public:
  SparseCosine(int64_t patches, int64_t channels);

  // labels [N, K] → distance [N, N] = 1 - cos, as label_distance() has it. False, with distance
  // untouched, if more than one of kFewest entries differs from its row's common value, or one is
  // not finite.
  static constexpr int64_t kFewest = 8;
  bool operator()(const float* labels, float* distance, VectorLevel level = vector_level());

 private:
  // Row i: o_i in every channel, plus e_ik in channel k for its entries.
  struct Entry {
    int32_t channel;
    float value;
  };
  bool read(const float* labels, VectorLevel level);
  void write(float* distance, VectorLevel level);

  int64_t patches_, channels_;
  std::vector<Entry> entries_;
  std::vector<size_t> ends_;     // [N] end of each row's entries
  std::vector<float> common_;    // [N] o_i
  std::vector<float> sums_;      // [N] Σ_k e_ik
  std::vector<float> inverse_;   // [N] 1 / |y_i|; 0 for a zero row
  std::vector<float> by_class_;  // [K, N] e_ik, transposed; zero between images
};

}  // namespace remixer::kernels
