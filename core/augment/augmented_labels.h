// SPDX-License-Identifier: Apache-2.0
// Maps an augmented image back to its source, so that labels can follow. No LibTorch.
#pragma once

#include <optional>
#include <vector>

#include "core/augment/patch_labels.h"
#include "core/image/geometry.h"
#include "core/image/warp.h"

namespace remixer::data {

struct View {
  Region region;                    // the part of the source, mirrored or not
  int side = 1;                     // side in pixels of the image made from it
  std::vector<Affine> warps;        // applied to that image afterwards, in this order; see warp()
  std::optional<Rectangle> erased;  // of the finished image, in pixels
};

// Patch labels of the finished image, on grid × grid patches, laid out as in patch_labels() for a
// region: out[(row * grid + column) * channels + c]. Erased areas, and areas that a warp filled
// from outside its image, are background: saliency 0, zero logits before the softmax.
//   Without warps or erasing: the exact area average. With them: the mean over 16 × 16 evenly
//   spaced points per patch, each with the label of the map cell that it shows.
void patch_labels(const LabelMap& map, const View& view, int grid, float* out);
// Appends the same labels, bit for bit, of a top-k map.
void patch_labels(const LabelMap& map, const View& view, int grid, SparsePatchLabels& out);

}  // namespace remixer::data
