// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace remixer::data {
namespace {

// Each pixel tells its place: (x, y, 7).
Image coordinates(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at(x, y)[0] = static_cast<uint8_t>(x);
      image.at(x, y)[1] = static_cast<uint8_t>(y);
      image.at(x, y)[2] = 7;
    }
  }
  return image;
}

bool in_box(const Box& box, int x, int y) {
  return x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1;
}

// Expects the tile that starts at (x0, y0), width x height, inside the box, and nothing changed
// outside.
void expect_tiles(const Box& box, int x0, int y0, int width, int height) {
  const Image tiled = tiled_box(coordinates(10, 10), box);
  for (int y = 0; y < 10; ++y) {
    for (int x = 0; x < 10; ++x) {
      const bool inside = in_box(box, x, y);
      EXPECT_EQ(tiled.at(x, y)[0], inside ? x0 + x % width : x) << x << "," << y;
      EXPECT_EQ(tiled.at(x, y)[1], inside ? y0 + y % height : y) << x << "," << y;
    }
  }
}

TEST(Scene, TilesComeFromTheLargestStripOutsideTheBox) {
  expect_tiles({4, 1, 8, 8}, 0, 0, 4, 10);  // left
  expect_tiles({1, 1, 5, 8}, 6, 0, 4, 10);  // right
  expect_tiles({1, 5, 8, 8}, 0, 0, 10, 5);  // above
  expect_tiles({1, 1, 8, 3}, 0, 4, 10, 6);  // below
  expect_tiles({3, 3, 6, 6}, 0, 0, 3, 10);  // all alike
}

TEST(Scene, NoTileIsLeftWhereTheBoxIsTheImage) {
  EXPECT_THAT(input_error([] {
                tiled_box(coordinates(10, 10), {0, 0, 9, 9});
              }),
              ::testing::HasSubstr("covers the whole image"));
}

TEST(Scene, BlackBoxBlacksTheBoxAlone) {
  const Box box{2, 3, 5, 3};
  const Image image = black_box(coordinates(10, 10), box);
  for (int y = 0; y < 10; ++y) {
    for (int x = 0; x < 10; ++x) EXPECT_EQ(image.at(x, y)[2], in_box(box, x, y) ? 0 : 7);
  }
}

TEST(Scene, MaskChoosesBetweenObjectAndBackground) {
  GrayImage mask(10, 10);
  mask.at(3, 4) = 255;
  mask.at(5, 4) = 128;
  mask.at(6, 4) = 127;
  Image object(10, 10);
  std::fill(object.pixels.begin(), object.pixels.end(), uint8_t{200});
  const Image pasted = paste(object, mask, coordinates(10, 10));
  const Image removed = without_object(coordinates(10, 10), mask);
  for (int y = 0; y < 10; ++y) {
    for (int x = 0; x < 10; ++x) {
      const bool inside = y == 4 && (x == 3 || x == 5);
      EXPECT_EQ(pasted.at(x, y)[2], inside ? 200 : 7);
      EXPECT_EQ(removed.at(x, y)[2], inside ? 0 : 7);
    }
  }
  EXPECT_EQ(bounding_box(mask), (Box{3, 4, 5, 4}));
}

TEST(Scene, AnEmptyMaskHasNoBox) {
  EXPECT_THROW(bounding_box(GrayImage(4, 4)), Error);
}

}  // namespace
}  // namespace remixer::data
