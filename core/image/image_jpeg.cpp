// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

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

}  // namespace remixer::data
