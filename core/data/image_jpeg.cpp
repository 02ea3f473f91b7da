#include <cstddef>
#include <cstdio>
// jpeglib.h needs size_t and FILE.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>

#include "core/base/error.h"
#include "core/data/image_codec.h"

namespace remixer::data {

namespace {

struct Reader {
  jpeg_error_mgr errors;  // first: libjpeg hands back a pointer to it
  jpeg_decompress_struct decoder;
  std::jmp_buf failed;
  char message[JMSG_LENGTH_MAX];
};

// libjpeg is C, so its errors leave by longjmp; decode() holds nothing that a jump could skip.
[[noreturn]] void on_error(j_common_ptr info) {
  auto* reader = reinterpret_cast<Reader*>(info->err);
  info->err->format_message(info, reader->message);
  std::longjmp(reader->failed, 1);
}

// libjpeg fills the missing rest of a torn file with grey and only warns. Its other warnings are of
// harmless oddities that published datasets do hold.
void on_message(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(info);
}

void cmyk_row_to_rgb(const uint8_t* cmyk, bool inverted, int width, uint8_t* rgb) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    for (int c = 0; c < 3; ++c) {
      const int ink = inverted ? cmyk[c] : 255 - cmyk[c];
      const int black = inverted ? cmyk[3] : 255 - cmyk[3];
      rgb[c] = static_cast<uint8_t>((ink * black + 127) / 255);
    }
  }
}

// The divisor of the size at which the shorter side still has `least_side` pixels.
unsigned reduction(const jpeg_decompress_struct& decoder, int least_side) {
  unsigned divisor = 1;
  const unsigned shorter = std::min(decoder.image_width, decoder.image_height);
  while (least_side > 0 && divisor < 8 && shorter / (2 * divisor) >= unsigned(least_side)) {
    divisor *= 2;
  }
  return divisor;
}

// False where libjpeg failed; reader.message says why. `row` is room for a CMYK row.
bool decode(Reader& reader, std::string_view bytes, int least_side, Image& image,
            std::vector<uint8_t>& row) {
  jpeg_decompress_struct& decoder = reader.decoder;
  if (setjmp(reader.failed)) return false;
  jpeg_create_decompress(&decoder);
  jpeg_mem_src(&decoder, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&decoder, TRUE);
  const bool cmyk = decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  decoder.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  if (too_large(decoder.image_width, decoder.image_height)) {
    ERREXIT1(&decoder, JERR_IMAGE_TOO_BIG, kLargestSide);
  }
  decoder.scale_num = 1;
  decoder.scale_denom = reduction(decoder, least_side);
  jpeg_start_decompress(&decoder);
  image = Image(static_cast<int>(decoder.output_width), static_cast<int>(decoder.output_height));
  if (cmyk) row.resize(static_cast<size_t>(image.width) * 4);
  while (decoder.output_scanline < decoder.output_height) {
    uint8_t* target = image.at(0, static_cast<int>(decoder.output_scanline));
    JSAMPROW into = cmyk ? row.data() : target;
    jpeg_read_scanlines(&decoder, &into, 1);
    if (cmyk) cmyk_row_to_rgb(row.data(), decoder.saw_Adobe_marker, image.width, target);
  }
  jpeg_finish_decompress(&decoder);
  return true;
}

}  // namespace

Image decode_jpeg(std::string_view bytes, const std::string& name, int least_side) {
  Reader reader{};
  reader.decoder.err = jpeg_std_error(&reader.errors);
  reader.errors.error_exit = on_error;
  reader.errors.emit_message = on_message;
  Image image;
  std::vector<uint8_t> row;
  const bool decoded = decode(reader, bytes, least_side, image, row);
  jpeg_destroy_decompress(&reader.decoder);
  if (!decoded) fail_input("{} is a torn or invalid JPEG ({}); replace it", name, reader.message);
  return image;
}

}  // namespace remixer::data
