// SPDX-License-Identifier: Apache-2.0
// Random erasing: replaces a rectangle of a normalised image by noise.
#pragma once

#include <optional>

#include "base/random.h"
#include "core/image/geometry.h"

namespace remixer::data {

// Draws like timm's RandomErasing in 'pixel' mode with one rectangle: whether to erase, then area
// (0.02 to 1/3 of the image), logarithm of height / width (0.3 to 1/0.3) and position, up to ten
// times until it fits strictly. Empty if nothing is to be erased or no attempt fits.
std::optional<Rectangle> draw_erasing(double probability, int side, Random& random);

// Fills the rectangle of image[3][side][side] with N(0, 1), one channel after the other.
void erase(const Rectangle& rectangle, int side, Random& random, float* image);

}  // namespace remixer::data
