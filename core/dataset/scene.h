// SPDX-License-Identifier: Apache-2.0
// Composes an object and a background, and makes the Background Challenge's variants of the image
// (Xiao et al. 2020). Pure functions on images of one size.
#pragma once

#include "core/dataset/dataset.h"
#include "core/image/image.h"

namespace remixer::data {

// `object` shows the object on black; `mask` is 255 on the object and 0 elsewhere, and has at least
// one object pixel; `box` is the smallest box around it.
struct Scene {
  Image background, object;
  GrayImage mask;
  Box box;
};

// Whether a mask has an object pixel (>= 128).
bool shows_object(const GrayImage& mask);

// The smallest box around a mask's object pixels (>= 128). Throws Error if there are none.
Box bounding_box(const GrayImage& mask);

// `object` where the mask is set, `background` elsewhere. With the scene's own background this is
// variant Original, with black Only-FG, with another image's background one of Mixed-*.
Image paste(const Image& object, const GrayImage& mask, const Image& background);

// No-FG: black where the mask is set.
Image without_object(const Image& image, const GrayImage& mask);

// Only-BG-B: black inside the box.
Image black_box(const Image& image, const Box& box);

// Only-BG-T: fills the box with tiles of the background. The tile is the larger of the widest strip
// beside the box, at full height, and the tallest strip above or below it, at full width; tiling
// starts at the image's upper left corner. Throws InputError if the box is the whole image.
Image tiled_box(const Image& image, const Box& box);

}  // namespace remixer::data
