// SPDX-License-Identifier: Apache-2.0
// RandAugment as timm draws and applies it for "rand-m9-mstd0.5-inc1": randomly chosen operations
// out of fifteen, each applied with its own probability, at a magnitude from 0 to 10.
#pragma once

#include <optional>
#include <vector>

#include "base/random.h"
#include "core/image/image.h"
#include "core/image/warp.h"
#include "experiments/spec/rand_augment.h"

namespace remixer::data {

// In timm's order, which the draws index.
enum class Operation {
  kAutoContrast,
  kEqualize,
  kInvert,
  kRotate,
  kPosterize,
  kSolarize,
  kSolarizeAdd,
  kColour,
  kContrast,
  kBrightness,
  kSharpness,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
};
constexpr int kOperations = 15;

// One drawn operation. `strength` is the operation's own parameter: degrees (rotate,
// counter-clockwise), bits kept (posterize), threshold (solarize), amount (solarize add), factor
// (colour, contrast, brightness, sharpness), pixels of shift per pixel (shears), share of the side
// (translations).
struct OperationDraw {
  Operation operation = Operation::kAutoContrast;
  double strength = 0;
  bool operator==(const OperationDraw&) const = default;
};

// Converts a magnitude to a strength; 0 changes least. Signed operations can take either sign,
// given by `negative`.
double strength_of(Operation operation, double magnitude, bool negative);

// Draws in timm's order: the operations; then for each its chance, its magnitude and its sign.
// Operations that chance excludes are not returned.
std::vector<OperationDraw> draw_rand_augment(const experiments::RandAugment& policy,
                                             Random& random);

// The operation's affine map for an image of this size; empty if it moves nothing.
std::optional<Affine> movement_of(const OperationDraw& draw, int width, int height);

// Fill colour for pixels from outside the image: ImageNet's mean.
constexpr Colour kFill{124, 116, 104};

void apply_operation(const OperationDraw& draw, Image& image);

}  // namespace remixer::data
