// SPDX-License-Identifier: Apache-2.0
#include "core/augment/crop.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace remixer::data {
namespace {

// As Python's round(): halves round to even.
int rounded(double value) {
  return static_cast<int>(std::nearbyint(value));
}

}  // namespace

Rectangle draw_crop(const CropRange& range, const ImageSize& image, Random& random) {
  const double area = static_cast<double>(image.width) * image.height;
  const double low = std::log(range.ratio_low), high = std::log(range.ratio_high);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = random.uniform(range.area_low, range.area_high) * area;
    const double ratio = std::exp(random.uniform(low, high));
    const int width = rounded(std::sqrt(target * ratio));
    const int height = rounded(std::sqrt(target / ratio));
    if (width < 1 || height < 1 || width > image.width || height > image.height) continue;
    const auto top = random.below(static_cast<uint64_t>(image.height - height) + 1);
    const auto left = random.below(static_cast<uint64_t>(image.width - width) + 1);
    return {static_cast<int>(left), static_cast<int>(top), width, height};
  }
  int width = image.width, height = image.height;
  const double ratio = static_cast<double>(width) / height;
  if (ratio < range.ratio_low) height = std::clamp(rounded(width / range.ratio_low), 1, height);
  if (ratio > range.ratio_high) width = std::clamp(rounded(height * range.ratio_high), 1, width);
  return {(image.width - width) / 2, (image.height - height) / 2, width, height};
}

Resizing crop_resizing(const Rectangle& crop, int side) {
  return {crop, side, side, {0, 0, side, side}};
}

Resizing centre_resizing(const ImageSize& image, int side, double crop) {
  assert(crop > 0 && crop <= 1);
  const int shorter = static_cast<int>(side / crop);
  const auto longer = [&](int long_side, int short_side) {
    return static_cast<int>(static_cast<double>(shorter) * long_side / short_side);
  };
  Resizing resizing{{0, 0, image.width, image.height}, shorter, shorter, {0, 0, side, side}};
  if (image.width > image.height) resizing.width = longer(image.width, image.height);
  if (image.height > image.width) resizing.height = longer(image.height, image.width);
  resizing.window.left = rounded((resizing.width - side) / 2.0);
  resizing.window.top = rounded((resizing.height - side) / 2.0);
  return resizing;
}

}  // namespace remixer::data
