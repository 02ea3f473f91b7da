// SPDX-License-Identifier: Apache-2.0
// How an augmented image shows its source, so that labels can follow. No LibTorch.
#pragma once

#include <optional>
#include <vector>

#include "core/augment/patch_labels.h"
#include "core/image/geometry.h"
#include "core/image/warp.h"

namespace remixer::data {

struct View {
  Region region;                    // the part of the source, mirrored or not
  int side = 1;                     // pixels a side of the image that is made of it
  std::vector<Affine> warps;        // then done to that image, in this order; see warp()
  std::optional<Rectangle> erased;  // of the finished image, in pixels
};

// Patch labels of the finished image, cut into grid × grid patches, as patch_labels() of a region
// gives them: out[(row * grid + column) * channels + c]. What a warp brought in from outside its
// image and what was erased is background: saliency 0, zero logits before the softmax.
//   Without warps or erasing, the exact area average. With them, the mean over 16 × 16 points
//   spread evenly over each patch, each with the label of the map's cell that it shows.
void patch_labels(const LabelMap& map, const View& view, int grid, float* out);

}  // namespace remixer::data
