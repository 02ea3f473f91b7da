// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstdlib>
// jpeglib.h needs size_t and FILE.
#include <jpeglib.h>

#include "core/image/image_codec.h"
#include "core/image/jpeg_reader.h"

namespace remixer::data {

namespace {

// The smallest size, in eighths, at which the shorter side still has `least_side` pixels.
int eighths_for(const ImageSize& size, int least_side) {
  int divisor = 1;
  const int shorter = std::min(size.width, size.height);
  while (least_side > 0 && divisor < 8 && shorter / (2 * divisor) >= least_side) divisor *= 2;
  return 8 / divisor;
}

}  // namespace

Image decode_jpeg(std::string_view bytes, const std::string& name, int least_side) {
  JpegReader reader(bytes, name);
  const ImageSize size = reader.start(eighths_for(reader.size(), least_side));
  Image image(size.width, size.height);
  for (int y = 0; y < size.height; ++y) reader.read_row(image.at(0, y));
  reader.finish();
  return image;
}

std::string encode_jpeg(const Image& image, int quality) {
  jpeg_compress_struct encoder;
  jpeg_error_mgr errors;
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &buffer, &size);
  encoder.image_width = static_cast<JDIMENSION>(image.width);
  encoder.image_height = static_cast<JDIMENSION>(image.height);
  encoder.input_components = 3;
  encoder.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, quality, TRUE);
  jpeg_start_compress(&encoder, TRUE);
  for (int y = 0; y < image.height; ++y) {
    JSAMPROW row = const_cast<uint8_t*>(image.at(0, y));
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  std::string bytes(reinterpret_cast<char*>(buffer), size);
  std::free(buffer);
  return bytes;
}

}  // namespace remixer::data
