// SPDX-License-Identifier: Apache-2.0
// Decodes an image, or only the part and scale that is needed.
#pragma once

#include <string>
#include <string_view>

#include "core/image/geometry.h"
#include "core/image/image.h"
#include "core/image/resample.h"

namespace remixer::data {

// From the header alone. Throws InputError naming `name` where the bytes are no JPEG or PNG.
ImageSize decode_size(std::string_view bytes, const std::string& name);

// resample(decode_image(bytes, name), resizing), byte for byte, but of a JPEG only the rows and
// columns that count are decoded; and where the crop is many times larger than its result
// (kReductionGap), it is decoded at 1/2, 1/4 or 1/8 of its size, which changes the result by less
// than half a grey level in the mean. Throws as decode_image() does: a file without an end is
// refused even where what it lacks is not wanted.
Image decode_resized(std::string_view bytes, const std::string& name, const Resizing& resizing);

// A JPEG is decoded at a reduced size where the reduced crop still has this many times the pixels
// of its result, a side. Pillow's documentation gives 3 as the gap from which on a result cannot be
// told from that of the full size; docs/loader.md has figures.
constexpr int kReductionGap = 3;

}  // namespace remixer::data
