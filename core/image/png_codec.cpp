// SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include <csetjmp>
#include <cstring>

#include "base/error.h"
#include "core/image/image_codec.h"

namespace remixer::data {

namespace {

// Shared state of libpng's callbacks. libpng is C and reports errors by longjmp; the functions that
// call setjmp hold no objects that a jump could skip.
struct Context {
  std::string_view input;
  std::string output;
  std::string message;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  static_cast<Context*>(png_get_error_ptr(png))->message = message;
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep bytes, size_t count) {
  auto* context = static_cast<Context*>(png_get_io_ptr(png));
  if (context->input.size() < count) png_error(png, "the file ends too early");
  std::memcpy(bytes, context->input.data(), count);
  context->input.remove_prefix(count);
}

void on_write(png_structp png, png_bytep bytes, size_t count) {
  static_cast<Context*>(png_get_io_ptr(png))
      ->output.append(reinterpret_cast<const char*>(bytes), count);
}

void on_flush(png_structp) {}

// Makes libpng output 8-bit RGB for any file.
void request_rgb(png_structp png, png_infop info) {
  const bool transparent = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_gray_to_rgb(png);
  if (transparent || (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA)) {
    png_set_strip_alpha(png);
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
}

bool decode(png_structp png, png_infop info, Image& image, std::vector<png_bytep>& rows) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_read_info(png, info);
  if (too_large(png_get_image_width(png, info), png_get_image_height(png, info))) {
    png_error(png, "the image is too large");
  }
  request_rgb(png, info);
  image = Image(static_cast<int>(png_get_image_width(png, info)),
                static_cast<int>(png_get_image_height(png, info)));
  rows.resize(static_cast<size_t>(image.height));
  for (int y = 0; y < image.height; ++y) rows[static_cast<size_t>(y)] = image.at(0, y);
  png_read_image(png, rows.data());
  png_read_end(png, nullptr);
  return true;
}

bool encode(png_structp png, png_infop info, const uint8_t* pixels, int width, int height,
            int channels, Compression compression) {
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8,
               channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (compression == Compression::kNone) {
    png_set_compression_level(png, 0);
    png_set_filter(png, 0, PNG_FILTER_NONE);
  }
  png_write_info(png, info);
  for (int y = 0; y < height; ++y) {
    png_write_row(png, pixels + static_cast<size_t>(y) * width * channels);
  }
  png_write_end(png, nullptr);
  return true;
}

}  // namespace

Image decode_png(std::string_view bytes, const std::string& name) {
  Context context{bytes, {}, {}};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &context, on_error, on_warning);
  if (png == nullptr) fail("libpng cannot start: its version differs from the one compiled with");
  png_infop info = png_create_info_struct(png);
  png_set_read_fn(png, &context, on_read);
  Image image;
  std::vector<png_bytep> rows;
  const bool decoded = decode(png, info, image, rows);
  png_destroy_read_struct(&png, &info, nullptr);
  if (!decoded) fail_input("{} is a torn or invalid PNG ({}); replace it", name, context.message);
  return image;
}

std::string encode_png_rows(const uint8_t* pixels, int width, int height, int channels,
                            Compression compression) {
  Context context;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &context, on_error, on_warning);
  if (png == nullptr) fail("libpng cannot start: its version differs from the one compiled with");
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &context, on_write, on_flush);
  const bool encoded = encode(png, info, pixels, width, height, channels, compression);
  png_destroy_write_struct(&png, &info);
  if (!encoded) fail("cannot encode a {}x{} PNG: {}", width, height, context.message);
  return std::move(context.output);
}

}  // namespace remixer::data
