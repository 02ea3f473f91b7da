// Images in memory and their files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace remixer::data {

// 8-bit RGB, rows top to bottom, interleaved: pixels[(y * width + x) * 3 + channel].
struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;

  Image() = default;
  Image(int w, int h) : width(w), height(h), pixels(static_cast<size_t>(w) * h * 3) {}
  uint8_t* at(int x, int y) { return &pixels[(static_cast<size_t>(y) * width + x) * 3]; }
  const uint8_t* at(int x, int y) const { return &pixels[(static_cast<size_t>(y) * width + x) * 3]; }
};

// 8-bit, one channel; a mask holds 0 (background) to 255 (object).
struct GrayImage {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;

  GrayImage() = default;
  GrayImage(int w, int h) : width(w), height(h), pixels(static_cast<size_t>(w) * h) {}
  uint8_t& at(int x, int y) { return pixels[static_cast<size_t>(y) * width + x]; }
  uint8_t at(int x, int y) const { return pixels[static_cast<size_t>(y) * width + x]; }
};

// Reads a JPEG or PNG (told apart by content) as RGB: greyscale is spread over the channels, alpha
// dropped. Throws InputError naming the file where it is missing, empty, torn or of another format.
Image read_image(const std::filesystem::path& path);
// A PNG or JPEG as one channel (luma of colour images).
GrayImage read_gray(const std::filesystem::path& path);

// Lossless files, written atomically.
void write_png(const std::filesystem::path& path, const Image& image);
void write_png(const std::filesystem::path& path, const GrayImage& image);

// Area-averaged when shrinking, bilinear when enlarging (half-pixel centres).
Image resize(const Image& image, int width, int height);

}  // namespace remixer::data
