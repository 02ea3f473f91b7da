// SPDX-License-Identifier: Apache-2.0
#include "core/image/image_decode.h"

#include <algorithm>
#include <cassert>

#include "base/error.h"
#include "core/image/image_codec.h"
#include "core/image/jpeg_reader.h"

namespace remixer::data {
namespace {

// The size at which to decode, in eighths.
int eighths_for(const Resizing& resizing) {
  int eighths = 8;
  while (eighths > 1 && resizing.crop.width * eighths >= 16 * kReductionGap * resizing.width &&
         resizing.crop.height * eighths >= 16 * kReductionGap * resizing.height) {
    eighths /= 2;
  }
  return eighths;
}

// Smooth chroma upsampling uses the neighbouring sample, which the outermost decoded columns do not
// have.
constexpr int kMargin = 8;

Image jpeg_resized(std::string_view bytes, const std::string& name, const Resizing& resizing) {
  const auto& [crop, width, height, window, filter] = resizing;
  JpegReader reader(bytes, name);
  assert(crop.left >= 0 && crop.left + crop.width <= reader.size().width);
  assert(crop.top >= 0 && crop.top + crop.height <= reader.size().height);
  const int eighths = eighths_for(resizing);
  const ImageSize decoded = reader.start(eighths);
  const double scale = eighths / 8.0;
  Resampler resampler(filter_taps(crop.left * scale, (crop.left + crop.width) * scale, width,
                                  window.left, window.width, filter),
                      filter_taps(crop.top * scale, (crop.top + crop.height) * scale, height,
                                  window.top, window.height, filter));

  const auto& [columns, rows] = std::pair(resampler.columns(), resampler.rows());
  const int first = reader.crop_columns(std::max(0, columns.begin - kMargin),
                                        std::min(decoded.width, columns.end + kMargin));
  std::vector<uint8_t> row(static_cast<size_t>(reader.width()) * 3 + resampler.row_bytes());
  reader.skip_rows(rows.begin);
  for (int y = rows.begin; y < rows.end; ++y) {
    reader.read_row(row.data());
    resampler.add_row(row.data() + static_cast<size_t>(columns.begin - first) * 3);
  }
  reader.finish();
  return resampler.finish();
}

// The size is at a fixed offset, in the chunk that must come first.
ImageSize png_size(std::string_view bytes, const std::string& name) {
  if (bytes.size() < 24 || bytes.substr(12, 4) != "IHDR") {
    fail_input("{} is a torn or invalid PNG (it has no header); replace it", name);
  }
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return static_cast<int64_t>(value);
  };
  const int64_t width = number(16), height = number(20);
  if (width < 1 || height < 1 || too_large(width, height)) {
    fail_input("{} is an invalid PNG (it says {} x {} pixels); replace it", name, width, height);
  }
  return {static_cast<int>(width), static_cast<int>(height)};
}

}  // namespace

ImageSize decode_size(std::string_view bytes, const std::string& name) {
  switch (image_format(bytes, name)) {
    case ImageFormat::kPng:
      return png_size(bytes, name);
    case ImageFormat::kJpeg:
      return JpegReader(bytes, name).size();
  }
  __builtin_unreachable();
}

Image decode_resized(std::string_view bytes, const std::string& name, const Resizing& resizing) {
  if (image_format(bytes, name) == ImageFormat::kJpeg) return jpeg_resized(bytes, name, resizing);
  return resample(decode_png(bytes, name), resizing);
}

}  // namespace remixer::data
