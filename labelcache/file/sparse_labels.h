// SPDX-License-Identifier: Apache-2.0
// Sparse patch labels of a top-k map: a patch lists only classes that its cells name; all other
// classes have the same probability, stored once. A hundredth of the dense form's memory for
// ImageNet's thousand classes.
//
// Of a whole image, straight from its stored form, to float precision. Training needs crops and
// turned images, and the dense form's last bit: data::SparsePatchLabels.
#pragma once

#include <cstdint>
#include <vector>

#include "core/augment/patch_labels.h"
#include "labelcache/file/packed_record.h"

namespace remixer::labelcache {

// Patch p has entries [begins[p], begins[p + 1]): class classes[codes[e]] with probability[e].
// Every other class has probability others[p]. Patches are in row order. Entries from begins.back()
// on are unused.
struct SparseLabels {
  std::vector<uint32_t> begins;
  std::vector<uint16_t> classes;  // the classes that the map names
  std::vector<uint16_t> codes;    // indices into `classes`
  std::vector<float> probability;
  std::vector<float> others;
};

// Computes what data::patch_labels() does for the whole image, on grid × grid patches, to float
// precision. `channels` is K. `out` is overwritten; its memory is reused.
void pool_labels(const UnpackedRecord& record, const MapShape& shape, int grid, SparseLabels& out);

// The dense form: out[patch * channels + class].
void expand(const SparseLabels& labels, int channels, float* out);

}  // namespace remixer::labelcache
