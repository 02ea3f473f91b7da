// SPDX-License-Identifier: Apache-2.0
// Decodes an image, or only the part and scale that is needed.
#pragma once

#include <string>
#include <string_view>

#include "core/image/geometry.h"
#include "core/image/image.h"
#include "core/image/resample.h"

namespace remixer::data {

// From the header alone. Throws InputError naming `name` if the bytes are no JPEG or PNG.
ImageSize decode_size(std::string_view bytes, const std::string& name);

// resample(decode_image(bytes, name), resizing), byte for byte, but for a JPEG only the needed rows
// and columns are decoded. If the crop is many times larger than its result (kReductionGap), it is
// decoded at 1/2, 1/4 or 1/8 of its size, which changes the result by less than half a grey level
// on average. Throws as decode_image() does: a truncated file is rejected even if the missing part
// is not needed.
Image decode_resized(std::string_view bytes, const std::string& name, const Resizing& resizing);

// A JPEG is decoded at a reduced size if the reduced crop still has this many times the pixels of
// its result per side. Pillow's documentation gives 3 as the gap above which the result cannot be
// told from full-size decoding; docs/loader.md has figures.
constexpr int kReductionGap = 3;

}  // namespace remixer::data
