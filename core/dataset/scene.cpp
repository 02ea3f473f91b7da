// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/scene.h"

#include <algorithm>

#include "base/error.h"

namespace remixer::data {

namespace {

constexpr uint8_t kObject = 128;

// The strip of the image that tiles are cut from.
Box largest_strip(const Image& image, const Box& box) {
  const int left = box.x0, right = image.width - 1 - box.x1;
  const int above = box.y0, below = image.height - 1 - box.y1;
  const int wide = std::max(left, right), tall = std::max(above, below);
  if (wide == 0 && tall == 0) fail_input("the box covers the whole image, nothing is left to tile");
  if (int64_t{wide} * image.height >= int64_t{tall} * image.width) {
    const int x0 = left >= right ? 0 : box.x1 + 1;
    return {x0, 0, x0 + wide - 1, image.height - 1};
  }
  const int y0 = above >= below ? 0 : box.y1 + 1;
  return {0, y0, image.width - 1, y0 + tall - 1};
}

}  // namespace

bool shows_object(const GrayImage& mask) {
  return std::any_of(mask.pixels.begin(), mask.pixels.end(),
                     [](uint8_t value) { return value >= kObject; });
}

Box bounding_box(const GrayImage& mask) {
  Box box{mask.width, mask.height, -1, -1};
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      if (mask.at(x, y) < kObject) continue;
      box = {std::min(box.x0, x), std::min(box.y0, y), std::max(box.x1, x), std::max(box.y1, y)};
    }
  }
  if (box.x1 < 0) fail("a mask without object pixels has no box");
  return box;
}

Image paste(const Image& object, const GrayImage& mask, const Image& background) {
  Image image = background;
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      if (mask.at(x, y) >= kObject) std::copy_n(object.at(x, y), 3, image.at(x, y));
    }
  }
  return image;
}

Image without_object(const Image& image, const GrayImage& mask) {
  return paste(Image(image.width, image.height), mask, image);
}

Image black_box(const Image& image, const Box& box) {
  Image result = image;
  for (int y = box.y0; y <= box.y1; ++y) {
    std::fill(result.at(box.x0, y), result.at(box.x1, y) + 3, uint8_t{0});
  }
  return result;
}

Image tiled_box(const Image& image, const Box& box) {
  const Box tile = largest_strip(image, box);
  const int width = tile.x1 - tile.x0 + 1, height = tile.y1 - tile.y0 + 1;
  Image result = image;
  for (int y = box.y0; y <= box.y1; ++y) {
    for (int x = box.x0; x <= box.x1; ++x) {
      std::copy_n(image.at(tile.x0 + x % width, tile.y0 + y % height), 3, result.at(x, y));
    }
  }
  return result;
}

}  // namespace remixer::data
