// SPDX-License-Identifier: Apache-2.0
// GrabCut segmentation (Rother et al. 2004) from a bounding box.
#pragma once

#include <cstdint>
#include <optional>

#include "core/dataset/dataset.h"
#include "core/image/image.h"

namespace remixer::data {

// Segments the object inside `box`: OpenCV's GrabCut initialised with the box, 5 iterations, on the
// image resized to `scale` (> 0) times its size. A cut under 10 % of the box is retried up to 10
// times, as in the Backgrounds Challenge; after that, or if box or background has fewer than the
// five pixels that the colour models need, the result is the box itself.
//
// Returns a mask of the image's size: 255 object, 0 background; values between (with `scale` above
// 1) give the object's share of the pixel. `box` is clipped to the image; throws InputError if it
// is then empty or if `scale` is not positive.
//
// The result depends on the arguments alone: `seed` sets the thread's OpenCV generator for the
// call. Thread-safe.
GrayImage grabcut(const Image& image, const Box& box, double scale, uint64_t seed);

// The cut as the Backgrounds Challenge makes it: 255 or 0; the box, which must lie inside the
// image, loses its last column and row. Empty if all attempts find less than 10 % of it, or two of
// them the same too small object. The benchmark uses `scale` 1; with 2 and above, small images keep
// more of their objects.
std::optional<GrayImage> challenge_grabcut(const Image& image, const Box& box, int scale,
                                           uint64_t seed);

}  // namespace remixer::data
