// SPDX-License-Identifier: Apache-2.0
// JPEG decoder: libjpeg behind an interface without longjmp.
#pragma once

#include <cstddef>
#include <cstdio>
// jpeglib.h needs size_t and FILE.
#include <jpeglib.h>

#include <csetjmp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/image/geometry.h"

namespace remixer::data {

// Decodes to RGB like Pillow's convert("RGB"): greyscale is copied to all channels; CMYK and YCCK
// inks are taken as inverted, as Adobe's programs write them, even without a marker that says so.
// Accurate integer DCT, smooth chroma upsampling; EXIF rotation is ignored.
//
// Call in order: the constructor, start(), then read_row() and skip_rows(), finish(). All throw
// InputError naming a torn or non-JPEG file. One thread per object; `bytes` must stay valid.
class JpegReader {
 public:
  // Reads the header.
  JpegReader(std::string_view bytes, std::string name);
  ~JpegReader();
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  ImageSize size() const;  // the file's
  // Decodes at `eighths`/8 of the size, 1, 2, 4 or 8. Returns the decoded image's size.
  ImageSize start(int eighths);
  // After start(): decodes only columns that enclose [begin, end). Returns the first one decoded.
  int crop_columns(int begin, int end);
  // Pixels per decoded row.
  int width() const { return static_cast<int>(decoder_.output_width); }
  void skip_rows(int count);
  // Writes width() RGB pixels.
  void read_row(uint8_t* row);
  // Ends decoding; checks that the file has an end even if not all rows were read.
  void finish();

 private:
  [[noreturn]] static void on_error(j_common_ptr info);
  static void on_message(j_common_ptr info, int level);
  // Runs `body`, which may only call libjpeg, and turns a longjmp out of it into an exception.
  template <typename Body>
  void guarded(Body body);

  jpeg_error_mgr errors_;
  jpeg_decompress_struct decoder_;
  std::jmp_buf failed_;
  char message_[JMSG_LENGTH_MAX];
  std::string_view bytes_;
  std::string name_;
  bool inks_ = false;
  std::vector<uint8_t> ink_row_;
};

}  // namespace remixer::data
