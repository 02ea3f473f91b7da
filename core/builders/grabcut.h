// SPDX-License-Identifier: Apache-2.0
// GrabCut (Rother et al. 2004) from a bounding box.
#pragma once

#include <cstdint>
#include <optional>

#include "core/dataset/dataset.h"
#include "core/image/image.h"

namespace remixer::data {

// The object inside `box`: OpenCV's GrabCut started from the box, 5 iterations, on the image
// resized to `scale` (> 0) times its size. A cut under 10 % of the box is tried again, up to 10
// times, as the Backgrounds Challenge does; after that, or where box or background hold fewer
// than the five pixels that its colour models need, the box itself is the answer.
//
// Returns a mask of the image's size: 255 object, 0 background; where `scale` is above 1, values
// between say how much of the pixel is object. `box` is cut to the image; InputError where it then
// is empty or `scale` is not positive.
//
// The answer follows from the arguments alone: `seed` sets OpenCV's generator, which is the
// thread's own, for the call. Thread-safe.
GrayImage grabcut(const Image& image, const Box& box, double scale, uint64_t seed);

// The same cut as the Backgrounds Challenge makes it: 255 or 0; the box, inside the image, without
// its last column and row; nothing where all attempts find less than 10 % of it, or two of them the
// same too small object. The benchmark cuts at `scale` 1; small images keep more of their objects
// at 2 and above.
std::optional<GrayImage> challenge_grabcut(const Image& image, const Box& box, int scale,
                                           uint64_t seed);

}  // namespace remixer::data
