// SPDX-License-Identifier: Apache-2.0
// Patch labels of a top-k map without the classes that no cell of a patch names: their
// probability is the same for all, so one number stands for them. Exact, and a hundredth of the
// dense form's memory for ImageNet's thousand classes.
#pragma once

#include <cstdint>
#include <vector>

#include "core/augment/patch_labels.h"
#include "labelcache/file/packed_record.h"

namespace remixer::labelcache {

// Patch p names entries [begins[p], begins[p + 1]): class classes[codes[e]] with probability[e].
// Every other class has probability others[p]. Patches row by row. What follows entry
// begins.back() - 1 is void.
struct SparseLabels {
  std::vector<uint32_t> begins;
  std::vector<uint16_t> classes;  // those that the map names
  std::vector<uint16_t> codes;    // places in `classes`
  std::vector<float> probability;
  std::vector<float> others;
};

// What data::patch_labels() makes of the same map for the whole image, in grid × grid patches, to
// float's precision. `channels` is K. `out` is overwritten; its memory serves again.
void pool_labels(const UnpackedRecord& record, const MapShape& shape, int grid, SparseLabels& out);

// The dense form: out[patch * channels + class].
void expand(const SparseLabels& labels, int channels, float* out);

}  // namespace remixer::labelcache
