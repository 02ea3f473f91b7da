// SPDX-License-Identifier: Apache-2.0
// Colour operations of RandAugment, byte for byte as in Pillow's ImageOps and ImageEnhance. All
// work in place.
#pragma once

#include "core/image/image.h"

namespace remixer::data {

// Stretches each channel so that its darkest value becomes 0 and its brightest 255.
void auto_contrast(Image& image);
// Spreads each channel's values evenly over 0 ... 255.
void equalize(Image& image);
void invert(Image& image);
// Keeps the upper `bits` (0 to 8) of each value.
void posterize(Image& image, int bits);
// Inverts values of `threshold` and above.
void solarize(Image& image, int threshold);
// Adds `amount` (0 or more) to values below 128, saturating at 255.
void solarize_add(Image& image, int amount);

// Blend the image with a version that lacks the property: factor 0 gives that version, 1 the image,
// and above 1 exaggerates.
void enhance_colour(Image& image, double factor);      // with its luma
void enhance_contrast(Image& image, double factor);    // with its mean luma
void enhance_brightness(Image& image, double factor);  // with black
void enhance_sharpness(Image& image, double factor);   // with a smoothed one

}  // namespace remixer::data
