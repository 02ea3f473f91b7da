// SPDX-License-Identifier: Apache-2.0
// Image codec libraries behind image.h, one source file each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/image/image.h"

namespace remixer::data {

enum class ImageFormat { kJpeg, kPng };
// Detected by content. Throws InputError naming `name` if it is neither.
ImageFormat image_format(std::string_view bytes, const std::string& name);

// Throw InputError naming `name` if the bytes are torn or of another format.
Image decode_png(std::string_view bytes, const std::string& name);
// Reduced as in read_image_reduced(); 0 means full size.
Image decode_jpeg(std::string_view bytes, const std::string& name, int least_side);

// A baseline JPEG file of RGB pixels; `quality` from 1 to 100, on libjpeg's scale. Thread-safe.
std::string encode_jpeg(const Image& image, int quality);

// A PNG file from rows of pixels with `channels` (1 or 3) interleaved bytes each.
std::string encode_png_rows(const uint8_t* pixels, int width, int height, int channels,
                            Compression compression);

// Larger images are rejected before memory is allocated for them.
constexpr int kLargestSide = 32768;
constexpr int64_t kMostPixels = int64_t{1} << 28;
inline bool too_large(int64_t width, int64_t height) {
  return width > kLargestSide || height > kLargestSide || width * height > kMostPixels;
}

}  // namespace remixer::data
