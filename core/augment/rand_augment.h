// SPDX-License-Identifier: Apache-2.0
// RandAugment as timm draws and applies it under "rand-m9-mstd0.5-inc1": operations taken at random
// from fifteen, each with a chance of its own, at a magnitude from 0 to 10.
#pragma once

#include <optional>
#include <vector>

#include "base/random.h"
#include "core/image/image.h"
#include "core/image/warp.h"
#include "experiments/spec/rand_augment.h"

namespace remixer::data {

// In timm's order, which draws choose by.
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

// One operation to be done. `strength` is what the operation itself takes: degrees (rotate,
// counter- clockwise), bits kept (posterize), threshold (solarize), amount (solarize add), factor
// (colour, contrast, brightness, sharpness), pixels of shift a pixel (shears), share of the side
// (translations).
struct OperationDraw {
  Operation operation = Operation::kAutoContrast;
  double strength = 0;
  bool operator==(const OperationDraw&) const = default;
};

// A magnitude's strength: 0 changes least. Signed operations take either sign, `negative` says
// which.
double strength_of(Operation operation, double magnitude, bool negative);

// Draws in timm's order: which operations; then for each its chance, its magnitude, its sign.
// Those that chance left out are not in the answer.
std::vector<OperationDraw> draw_rand_augment(const experiments::RandAugment& policy,
                                             Random& random);

// Where the operation moves things: the affine map of an image of this size, or nothing.
std::optional<Affine> movement_of(const OperationDraw& draw, int width, int height);

// Pixels that come from outside the image get this: the mean of ImageNet.
constexpr Colour kFill{124, 116, 104};

void apply_operation(const OperationDraw& draw, Image& image);

}  // namespace remixer::data
