// SPDX-License-Identifier: Apache-2.0
#include "core/image/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
// jpeglib.h needs size_t and FILE.
#include <jpeglib.h>

#include "base/file.h"
#include "base/random.h"
#include "tests/support/temporary_folder.h"

namespace remixer::data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Image noise(int width, int height) {
  Image image(width, height);
  Random random(1, RandomPurpose::kTest);
  for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(random.below(256));
  return image;
}

// A JPEG file of rows that are already in the colour space that it is to hold.
std::string encode_jpeg(const std::vector<uint8_t>& pixels, int width, int height, int channels,
                        J_COLOR_SPACE space) {
  jpeg_compress_struct encoder;
  jpeg_error_mgr errors;
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &buffer, &size);
  encoder.image_width = static_cast<JDIMENSION>(width);
  encoder.image_height = static_cast<JDIMENSION>(height);
  encoder.input_components = channels;
  encoder.in_color_space = space;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, 95, TRUE);
  jpeg_start_compress(&encoder, TRUE);
  for (int y = 0; y < height; ++y) {
    auto* row = const_cast<JSAMPLE*>(&pixels[static_cast<size_t>(y) * width * channels]);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  std::string bytes(reinterpret_cast<char*>(buffer), size);
  std::free(buffer);
  return bytes;
}

// Rows of one colour, in an image large enough to be cut short in the middle.
std::string plain_jpeg(const std::vector<uint8_t>& colour, J_COLOR_SPACE space) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < 64 * 48; ++i) pixels.insert(pixels.end(), colour.begin(), colour.end());
  return encode_jpeg(pixels, 64, 48, static_cast<int>(colour.size()), space);
}

class ImageTest : public ::testing::Test {
 protected:
  std::string error_of(std::string_view bytes) {
    put(file_, bytes);
    return input_error([&] { read_image(file_); });
  }
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "pictures" / "sample.img";
};

TEST_F(ImageTest, PngComesBackAsItWasWritten) {
  const Image image = noise(13, 7);
  write_png(file_, image);
  EXPECT_EQ(read_image(file_), image);
}

TEST_F(ImageTest, UncompressedPngIsReadAsWell) {
  const Image image = noise(13, 7);
  const std::string bytes = encode_png(image, Compression::kNone);
  EXPECT_EQ(decode_image(bytes, "memory"), image);
  // Every row stands in it as it is, behind a byte that names its filter.
  for (int y = 0; y < 7; ++y) {
    const std::string row(reinterpret_cast<const char*>(image.at(0, y)), 13 * 3);
    EXPECT_NE(bytes.find('\0' + row), std::string::npos) << y;
  }
}

TEST_F(ImageTest, GrayPngIsSpreadOverTheChannels) {
  GrayImage gray(3, 2);
  gray.pixels = {0, 50, 100, 150, 200, 255};
  write_png(file_, gray);
  const Image image = read_image(file_);
  EXPECT_EQ(image.pixels[3], 50);
  EXPECT_EQ(image.pixels[5], 50);
  EXPECT_EQ(read_gray(file_), gray);
}

TEST_F(ImageTest, LumaWeighsTheChannels) {
  Image image(3, 1);
  image.pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255};
  EXPECT_EQ(to_gray(image).pixels, (std::vector<uint8_t>{76, 150, 29}));
}

TEST_F(ImageTest, GrayJpegIsSpreadOverTheChannels) {
  put(file_, plain_jpeg({90}, JCS_GRAYSCALE));
  const Image image = read_image(file_);
  EXPECT_EQ(image.width, 64);
  EXPECT_EQ(image.height, 48);
  EXPECT_THAT(image.pixels, ::testing::Each(90));
}

TEST_F(ImageTest, ColourJpegKeepsTheOrderOfChannels) {
  put(file_, plain_jpeg({200, 100, 30}, JCS_RGB));
  const Image image = read_image(file_);
  EXPECT_NEAR(image.at(20, 20)[0], 200, 3);
  EXPECT_NEAR(image.at(20, 20)[1], 100, 3);
  EXPECT_NEAR(image.at(20, 20)[2], 30, 3);
}

// Such files are among ImageNet's. Adobe's marker, which libjpeg writes, says inks are inverted.
TEST_F(ImageTest, CmykJpegIsConverted) {
  put(file_, plain_jpeg({255, 128, 0, 204}, JCS_CMYK));
  const Image image = read_image(file_);
  EXPECT_NEAR(image.at(20, 20)[0], 204, 3);
  EXPECT_NEAR(image.at(20, 20)[1], 102, 3);
  EXPECT_NEAR(image.at(20, 20)[2], 0, 3);
}

TEST_F(ImageTest, ReducedJpegKeepsTheSideAskedFor) {
  const Image source = noise(256, 128);
  put(file_, encode_jpeg(source.pixels, 256, 128, 3, JCS_RGB));
  EXPECT_EQ(read_image_reduced(file_, 32).height, 32);
  EXPECT_EQ(read_image_reduced(file_, 33).height, 64);
  EXPECT_EQ(read_image_reduced(file_, 1).height, 16);
  EXPECT_EQ(read_image_reduced(file_, 500).height, 128);
}

TEST_F(ImageTest, MissingFileIsNamed) {
  EXPECT_THAT(input_error([&] { read_image(folder_.path() / "gone.png"); }), HasSubstr("gone.png"));
}

TEST_F(ImageTest, EmptyFileIsNamed) {
  EXPECT_THAT(error_of(""), AllOf(HasSubstr("sample.img"), HasSubstr("empty")));
}

TEST_F(ImageTest, OtherFormatIsNamed) {
  EXPECT_THAT(error_of("GIF89a, or a web page that says not found"),
              AllOf(HasSubstr("sample.img"), HasSubstr("neither a JPEG nor a PNG")));
}

// Wherever a file is cut, it is refused: no grey filling passes for an image.
TEST_F(ImageTest, TornFilesAreRefusedWhereverTheyAreCut) {
  const Image source = noise(40, 40);
  const std::string jpeg = encode_jpeg(source.pixels, 40, 40, 3, JCS_RGB);
  const std::string png = encode_png(source);
  for (const std::string& whole : {jpeg, png}) {
    for (size_t size = 8; size + 2 < whole.size(); size += 97) {
      EXPECT_THAT(error_of(whole.substr(0, size)),
                  AllOf(HasSubstr("sample.img"), HasSubstr("torn")))
          << size << " of " << whole.size();
    }
  }
}

TEST_F(ImageTest, DamagedPngIsRefused) {
  std::string png = encode_png(noise(40, 40));
  png[png.size() / 2] = static_cast<char>(png[png.size() / 2] ^ 1);
  EXPECT_THAT(error_of(png), HasSubstr("torn"));
}

// The header may ask for more memory than the machine has.
TEST_F(ImageTest, HugeSizeIsRefused) {
  std::string jpeg = plain_jpeg({90}, JCS_GRAYSCALE);
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
  EXPECT_THAT(error_of(jpeg), HasSubstr("sample.img"));
}

TEST(Resize, ShrinkingAveragesAreas) {
  GrayImage image(4, 2);
  image.pixels = {0,  100, 200, 40,  //
                  20, 80,  100, 60};
  EXPECT_EQ(resize(image, 2, 1).pixels, (std::vector<uint8_t>{50, 100}));
  // 4 columns to 3: each output cell covers 4/3 of an input column.
  GrayImage row(4, 1);
  row.pixels = {0, 120, 240, 60};
  EXPECT_EQ(resize(row, 3, 1).pixels, (std::vector<uint8_t>{30, 180, 105}));
}

TEST(Resize, GrowingIsBilinearBetweenCentres) {
  GrayImage image(2, 1);
  image.pixels = {0, 200};
  EXPECT_EQ(resize(image, 4, 1).pixels, (std::vector<uint8_t>{0, 50, 150, 200}));
}

TEST(Resize, SameSizeAndPlainColoursStayAsTheyAre) {
  const Image image = noise(17, 9);
  EXPECT_EQ(resize(image, 17, 9), image);
  Image plain(7, 5);
  std::fill(plain.pixels.begin(), plain.pixels.end(), uint8_t{255});
  for (const auto& [width, height] : {std::pair{3, 4}, {20, 2}, {1, 1}, {33, 31}}) {
    EXPECT_THAT(resize(plain, width, height).pixels, ::testing::Each(255)) << width;
  }
}

TEST(Resize, ChannelsStayApart) {
  Image image(2, 2);
  for (int i = 0; i < 4; ++i) image.pixels[static_cast<size_t>(3 * i + 1)] = 200;
  const Image small = resize(image, 1, 1);
  EXPECT_EQ(small.pixels, (std::vector<uint8_t>{0, 200, 0}));
}

}  // namespace
}  // namespace remixer::data
