// SPDX-License-Identifier: Apache-2.0
// Images in memory, and reading and writing their files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace remixer::data {

// 8-bit RGB, rows top to bottom, interleaved: pixels[(y * width + x) * 3 + channel].
struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;

  Image() = default;
  Image(int w, int h) : width(w), height(h), pixels(static_cast<size_t>(w) * h * 3) {}
  uint8_t* at(int x, int y) { return &pixels[(static_cast<size_t>(y) * width + x) * 3]; }
  const uint8_t* at(int x, int y) const {
    return &pixels[(static_cast<size_t>(y) * width + x) * 3];
  }
  bool operator==(const Image&) const = default;
};

// 8-bit, one channel; a mask holds 0 (background) to 255 (object).
struct GrayImage {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;

  GrayImage() = default;
  GrayImage(int w, int h) : width(w), height(h), pixels(static_cast<size_t>(w) * h) {}
  uint8_t& at(int x, int y) { return pixels[static_cast<size_t>(y) * width + x]; }
  uint8_t at(int x, int y) const { return pixels[static_cast<size_t>(y) * width + x]; }
  bool operator==(const GrayImage&) const = default;
};

// Reads a JPEG or PNG (distinguished by content) as RGB: greyscale is copied to all channels, CMYK
// converted, alpha dropped, 16 bits cut to 8, EXIF rotation ignored. The path may lead into a tar
// archive (core/image/image_files.h). Throws InputError naming the file if it is missing, empty,
// torn or of another format.
Image read_image(const std::filesystem::path& path);
// The same, but a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if its shorter side keeps at least
// `least_side` pixels: several times faster for an image that is to be shrunk anyway.
Image read_image_reduced(const std::filesystem::path& path, int least_side);
// A PNG or JPEG as one channel: to_gray() of read_image()'s result.
GrayImage read_gray(const std::filesystem::path& path);

// The same from a file's bytes; `name` is the file's name in messages.
Image decode_image(std::string_view bytes, const std::string& name);
Image decode_image_reduced(std::string_view bytes, const std::string& name, int least_side);

// Luma (BT.601) of each pixel; grey stays exactly grey.
GrayImage to_gray(const Image& image);

// Lossless files, written atomically.
void write_png(const std::filesystem::path& path, const Image& image);
void write_png(const std::filesystem::path& path, const GrayImage& image);

// A PNG file's bytes. Uncompressed ones do not depend on the zlib version.
enum class Compression { kNone, kUsual };
std::string encode_png(const Image& image, Compression compression = Compression::kUsual);
std::string encode_png(const GrayImage& image, Compression compression = Compression::kUsual);

// Area-averaged along an axis that shrinks, bilinear along one that grows (half-pixel centres).
// Integer arithmetic: the same bytes on every machine. All sizes must be at least 1.
Image resize(const Image& image, int width, int height);
GrayImage resize(const GrayImage& image, int width, int height);

}  // namespace remixer::data
