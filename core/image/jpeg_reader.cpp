// SPDX-License-Identifier: Apache-2.0
#include "core/image/jpeg_reader.h"

#include <jerror.h>

#include <algorithm>
#include <cassert>

#include "base/error.h"
#include "core/image/image_codec.h"

namespace remixer::data {
namespace {

constexpr int kEndMarker = 0xd9;

void inks_to_rgb(const uint8_t* inks, int width, uint8_t* rgb) {
  for (int x = 0; x < width; ++x, inks += 4, rgb += 3) {
    for (int c = 0; c < 3; ++c) rgb[c] = static_cast<uint8_t>((inks[c] * inks[3] + 127) / 255);
  }
}

}  // namespace

// libjpeg is C and reports errors by longjmp: to guarded(), across libjpeg's own frames only.
void JpegReader::on_error(j_common_ptr info) {
  auto* reader = static_cast<JpegReader*>(info->client_data);
  info->err->format_message(info, reader->message_);
  std::longjmp(reader->failed_, 1);
}

// libjpeg fills the missing rest of a torn file with grey and only warns. Its other warnings
// concern harmless oddities that do occur in published datasets.
void JpegReader::on_message(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(info);
}

template <typename Body>
void JpegReader::guarded(Body body) {
  if (setjmp(failed_)) {
    fail_input("{} is a torn or invalid JPEG ({}); replace it", name_, message_);
  }
  body();
}

JpegReader::JpegReader(std::string_view bytes, std::string name)
    : bytes_(bytes), name_(std::move(name)) {
  decoder_.err = jpeg_std_error(&errors_);
  errors_.error_exit = on_error;
  errors_.emit_message = on_message;
  decoder_.client_data = this;
  jpeg_create_decompress(&decoder_);
  try {
    guarded([&] {
      jpeg_mem_src(&decoder_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
      jpeg_read_header(&decoder_, TRUE);
      if (too_large(decoder_.image_width, decoder_.image_height)) {
        ERREXIT1(&decoder_, JERR_IMAGE_TOO_BIG, kLargestSide);
      }
    });
  } catch (...) {
    jpeg_destroy_decompress(&decoder_);
    throw;
  }
}

JpegReader::~JpegReader() {
  jpeg_destroy_decompress(&decoder_);
}

ImageSize JpegReader::size() const {
  return {static_cast<int>(decoder_.image_width), static_cast<int>(decoder_.image_height)};
}

ImageSize JpegReader::start(int eighths) {
  inks_ = decoder_.jpeg_color_space == JCS_CMYK || decoder_.jpeg_color_space == JCS_YCCK;
  guarded([&] {
    decoder_.out_color_space = inks_ ? JCS_CMYK : JCS_RGB;
    decoder_.scale_num = static_cast<unsigned>(eighths);
    decoder_.scale_denom = 8;
    jpeg_start_decompress(&decoder_);
  });
  if (inks_) ink_row_.resize(static_cast<size_t>(decoder_.output_width) * 4);
  return {width(), static_cast<int>(decoder_.output_height)};
}

int JpegReader::crop_columns(int begin, int end) {
  JDIMENSION offset = static_cast<JDIMENSION>(begin), count = static_cast<JDIMENSION>(end - begin);
  if (count < decoder_.output_width) {
    guarded([&] { jpeg_crop_scanline(&decoder_, &offset, &count); });
  }
  return static_cast<int>(offset);
}

void JpegReader::skip_rows(int count) {
  if (count == 0) return;
  guarded([&] { jpeg_skip_scanlines(&decoder_, static_cast<JDIMENSION>(count)); });
}

void JpegReader::read_row(uint8_t* row) {
  JSAMPROW into = inks_ ? ink_row_.data() : row;
  guarded([&] { jpeg_read_scanlines(&decoder_, &into, 1); });
  if (inks_) inks_to_rgb(ink_row_.data(), width(), row);
}

void JpegReader::finish() {
  if (decoder_.output_scanline == decoder_.output_height) {
    guarded([&] { jpeg_finish_decompress(&decoder_); });
    return;
  }
  // A progressive file is read whole at the start; the last rows are decoded in one go, and the end
  // marker is then still unread.
  if (jpeg_input_complete(&decoder_) || decoder_.unread_marker == kEndMarker) return;
  // Image data never contain an end marker, so one after the current position is the file's.
  const size_t left = std::min(decoder_.src->bytes_in_buffer, bytes_.size());
  if (bytes_.substr(bytes_.size() - left).rfind("\xff\xd9") == std::string_view::npos) {
    fail_input("{} is a torn or invalid JPEG (it has no end); replace it", name_);
  }
}

}  // namespace remixer::data
