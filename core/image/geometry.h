// SPDX-License-Identifier: Apache-2.0
// Sizes and rectangles in pixels.
#pragma once

namespace remixer::data {

struct ImageSize {
  int width = 0, height = 0;
  bool operator==(const ImageSize&) const = default;
};

struct Rectangle {
  int left = 0, top = 0, width = 0, height = 0;
  bool operator==(const Rectangle&) const = default;
};

}  // namespace remixer::data
