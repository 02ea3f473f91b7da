// SPDX-License-Identifier: Apache-2.0
#include "core/image/image.h"

#include "base/error.h"
#include "base/file.h"
#include "core/image/image_codec.h"
#include "core/image/image_files.h"

namespace remixer::data {

namespace {

bool starts_with(std::string_view bytes, std::string_view signature) {
  return bytes.substr(0, signature.size()) == signature;
}

constexpr std::string_view kJpegSignature = "\xff\xd8\xff";
constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";

// least_side 0: the full size.
Image decode(std::string_view bytes, const std::string& name, int least_side) {
  if (image_format(bytes, name) == ImageFormat::kPng) return decode_png(bytes, name);
  return decode_jpeg(bytes, name, least_side);
}

}  // namespace

ImageFormat image_format(std::string_view bytes, const std::string& name) {
  if (bytes.empty()) fail_input("{} is empty; replace or remove it", name);
  if (starts_with(bytes, kJpegSignature)) return ImageFormat::kJpeg;
  if (starts_with(bytes, kPngSignature)) return ImageFormat::kPng;
  fail_input("{} is neither a JPEG nor a PNG; convert or remove it", name);
}

Image decode_image(std::string_view bytes, const std::string& name) {
  return decode(bytes, name, 0);
}

Image decode_image_reduced(std::string_view bytes, const std::string& name, int least_side) {
  return decode(bytes, name, least_side);
}

Image read_image_reduced(const std::filesystem::path& path, int least_side) {
  return decode(read_image_bytes(path), path.string(), least_side);
}

Image read_image(const std::filesystem::path& path) {
  return decode_image(read_image_bytes(path), path.string());
}

GrayImage to_gray(const Image& image) {
  GrayImage gray(image.width, image.height);
  for (size_t i = 0; i < gray.pixels.size(); ++i) {
    const uint8_t* pixel = &image.pixels[3 * i];
    // Fixed point; the weights sum to 65536.
    gray.pixels[i] = static_cast<uint8_t>(
        (19595u * pixel[0] + 38470u * pixel[1] + 7471u * pixel[2] + 32768u) >> 16);
  }
  return gray;
}

GrayImage read_gray(const std::filesystem::path& path) {
  return to_gray(read_image(path));
}

std::string encode_png(const Image& image, Compression compression) {
  return encode_png_rows(image.pixels.data(), image.width, image.height, 3, compression);
}

std::string encode_png(const GrayImage& image, Compression compression) {
  return encode_png_rows(image.pixels.data(), image.width, image.height, 1, compression);
}

void write_png(const std::filesystem::path& path, const Image& image) {
  write_file_atomic(path, encode_png(image));
}

void write_png(const std::filesystem::path& path, const GrayImage& image) {
  write_file_atomic(path, encode_png(image));
}

}  // namespace remixer::data
