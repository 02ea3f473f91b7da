// SPDX-License-Identifier: Apache-2.0
#include "core/augment/rand_augment.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/augment/photometric.h"

namespace remixer::data {
namespace {

constexpr double kFullMagnitude = 10;

bool takes_sign(Operation operation) {
  switch (operation) {
    case Operation::kRotate:
    case Operation::kColour:
    case Operation::kContrast:
    case Operation::kBrightness:
    case Operation::kSharpness:
    case Operation::kShearX:
    case Operation::kShearY:
    case Operation::kTranslateX:
    case Operation::kTranslateY:
      return true;
    default:
      return false;
  }
}

}  // namespace

double strength_of(Operation operation, double magnitude, bool negative) {
  const double level = magnitude / kFullMagnitude, sign = negative ? -1 : 1;
  switch (operation) {
    case Operation::kAutoContrast:
    case Operation::kEqualize:
    case Operation::kInvert:
      return 0;
    case Operation::kRotate:
      return sign * (level * 30);
    case Operation::kPosterize:
      return 4 - static_cast<int>(level * 4);
    case Operation::kSolarize:
      return 256 - std::min(256, static_cast<int>(level * 256));
    case Operation::kSolarizeAdd:
      return std::min(128, static_cast<int>(level * 110));
    case Operation::kColour:
    case Operation::kContrast:
    case Operation::kBrightness:
    case Operation::kSharpness:
      return std::max(0.1, 1 + sign * (level * 0.9));
    case Operation::kShearX:
    case Operation::kShearY:
      return sign * (level * 0.3);
    case Operation::kTranslateX:
    case Operation::kTranslateY:
      return sign * (level * 0.45);
  }
  __builtin_unreachable();
}

std::vector<OperationDraw> draw_rand_augment(const experiments::RandAugment& policy,
                                             Random& random) {
  std::vector<Operation> chosen;
  for (int64_t i = 0; i < policy.operations; ++i) {
    chosen.push_back(static_cast<Operation>(random.below(kOperations)));
  }
  std::vector<OperationDraw> draws;
  for (const Operation operation : chosen) {
    if (policy.probability < 1 && random.uniform() > policy.probability) continue;
    double magnitude = policy.magnitude;
    if (policy.deviation > 0) magnitude += policy.deviation * random.normal();
    magnitude = std::clamp(magnitude, 0.0, kFullMagnitude);
    const bool negative = takes_sign(operation) && random.uniform() > 0.5;
    draws.push_back({operation, strength_of(operation, magnitude, negative)});
  }
  return draws;
}

std::optional<Affine> movement_of(const OperationDraw& draw, int width, int height) {
  switch (draw.operation) {
    case Operation::kRotate:
      return rotation(draw.strength, width, height);
    case Operation::kShearX:
      return Affine{{1, draw.strength, 0, 0, 1, 0}};
    case Operation::kShearY:
      return Affine{{1, 0, 0, draw.strength, 1, 0}};
    case Operation::kTranslateX:
      return Affine{{1, 0, draw.strength * width, 0, 1, 0}};
    case Operation::kTranslateY:
      return Affine{{1, 0, 0, 0, 1, draw.strength * height}};
    default:
      return std::nullopt;
  }
}

void apply_operation(const OperationDraw& draw, Image& image) {
  if (const auto movement = movement_of(draw, image.width, image.height)) {
    image = warp(image, *movement, kFill);
    return;
  }
  switch (draw.operation) {
    case Operation::kAutoContrast:
      return auto_contrast(image);
    case Operation::kEqualize:
      return equalize(image);
    case Operation::kInvert:
      return invert(image);
    case Operation::kPosterize:
      return posterize(image, static_cast<int>(draw.strength));
    case Operation::kSolarize:
      return solarize(image, static_cast<int>(draw.strength));
    case Operation::kSolarizeAdd:
      return solarize_add(image, static_cast<int>(draw.strength));
    case Operation::kColour:
      return enhance_colour(image, draw.strength);
    case Operation::kContrast:
      return enhance_contrast(image, draw.strength);
    case Operation::kBrightness:
      return enhance_brightness(image, draw.strength);
    case Operation::kSharpness:
      return enhance_sharpness(image, draw.strength);
    default:
      assert(!"an operation that moves things was handled above");
  }
}

}  // namespace remixer::data
