// SPDX-License-Identifier: Apache-2.0
// Random crops for training (RandomResizedCrop), centre crops for evaluation.
#pragma once

#include "base/random.h"
#include "core/image/geometry.h"
#include "core/image/resample.h"

namespace remixer::data {

// RandomResizedCrop's ranges: share of the image's area, and width / height.
struct CropRange {
  double area_low = 0.08, area_high = 1;
  double ratio_low = 3.0 / 4, ratio_high = 4.0 / 3;
};

// Draws like timm's RandomResizedCropAndInterpolation: area, logarithm of the ratio, then the
// position, up to ten times until it fits; else the largest central part with an allowed ratio.
Rectangle draw_crop(const CropRange& range, const ImageSize& image, Random& random);

// The crop, resized to a square of `side` pixels.
Resizing crop_resizing(const Rectangle& crop, int side);

// torchvision's Resize(side / crop, truncated) of the shorter side, then CenterCrop(side); with
// crop 1: the central square, resized.
Resizing centre_resizing(const ImageSize& image, int side, double crop);

}  // namespace remixer::data
