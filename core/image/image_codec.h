// SPDX-License-Identifier: Apache-2.0
// The libraries behind image.h, one file each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/image/image.h"

namespace remixer::data {

enum class ImageFormat { kJpeg, kPng };
// Told by content. Throws InputError naming `name` where it is neither.
ImageFormat image_format(std::string_view bytes, const std::string& name);

// Throw InputError naming `name` where the bytes are torn or not what they say.
Image decode_png(std::string_view bytes, const std::string& name);
// Reduced as read_image_reduced() does; 0 asks for the full size.
Image decode_jpeg(std::string_view bytes, const std::string& name, int least_side);

// A baseline JPEG file of RGB pixels; `quality` from 1 to 100, as libjpeg counts. Thread-safe.
std::string encode_jpeg(const Image& image, int quality);

// Rows of `channels` (1 or 3) interleaved bytes a pixel as a PNG file.
std::string encode_png_rows(const uint8_t* pixels, int width, int height, int channels,
                            Compression compression);

// Larger images are refused before memory is taken for them.
constexpr int kLargestSide = 32768;
constexpr int64_t kMostPixels = int64_t{1} << 28;
inline bool too_large(int64_t width, int64_t height) {
  return width > kLargestSide || height > kLargestSide || width * height > kMostPixels;
}

}  // namespace remixer::data
