// SPDX-License-Identifier: Apache-2.0
#include "core/builders/grabcut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/random.h"
#include "tests/support/temporary_folder.h"

namespace remixer::data {
namespace {

constexpr Box kObject{9, 7, 20, 24};
constexpr Box kLooseBox{6, 5, 23, 27};

bool in_ellipse(int x, int y) {
  const double dx = (x - 14.5) / 6.0, dy = (y - 15.5) / 9.0;
  return dx * dx + dy * dy <= 1;
}

// A noisy reddish ellipse on noisy blue.
Image ellipse() {
  Image image(32, 32);
  Random random(5, RandomPurpose::kTest);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const int base[3] = {in_ellipse(x, y) ? 190 : 40, 70, in_ellipse(x, y) ? 50 : 180};
      for (int c = 0; c < 3; ++c) {
        image.at(x, y)[c] = static_cast<uint8_t>(base[c] + static_cast<int>(random.below(40)));
      }
    }
  }
  return image;
}

double overlap(const GrayImage& mask) {
  double both = 0, either = 0;
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const bool cut = mask.at(x, y) >= 128, object = in_ellipse(x, y);
      both += cut && object;
      either += cut || object;
    }
  }
  return both / either;
}

GrayImage box_only(const Box& box, int side) {
  GrayImage mask(side, side);
  for (int y = box.y0; y <= box.y1; ++y) {
    for (int x = box.x0; x <= box.x1; ++x) mask.at(x, y) = 255;
  }
  return mask;
}

TEST(GrabCut, FindsTheObjectInTheBox) {
  EXPECT_GT(overlap(grabcut(ellipse(), kLooseBox, 1, 3)), 0.9);
  EXPECT_GT(overlap(grabcut(ellipse(), kLooseBox, 2, 3)), 0.9);
}

TEST(GrabCut, NothingOutsideTheBoxIsObject) {
  const GrayImage mask = grabcut(ellipse(), kObject, 2, 3);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      const bool inside = x >= kObject.x0 && x <= kObject.x1 && y >= kObject.y0 && y <= kObject.y1;
      if (!inside) {
        EXPECT_EQ(mask.at(x, y), 0) << x << "," << y;
      }
    }
  }
}

// Blurred noise, in an ellipse another and brighter one: a cut that is not clear, so that the
// generator's draws show in it.
Image unclear() {
  const auto clouds = [](uint64_t seed, uint64_t least) {
    Image image(7, 7);
    Random random(seed, RandomPurpose::kTest);
    for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(least + random.below(150));
    return resize(image, 32, 32);
  };
  Image image = clouds(1, 0);
  const Image object = clouds(2, 60);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      if (in_ellipse(x, y)) std::copy_n(object.at(x, y), 3, image.at(x, y));
    }
  }
  return image;
}

// Neither earlier calls nor other threads change an answer; the seed does.
TEST(GrabCut, FollowsFromItsArguments) {
  const Image image = unclear();
  std::vector<GrayImage> first;
  std::set<std::vector<uint8_t>> distinct;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    first.push_back(grabcut(image, kLooseBox, 2, seed));
    distinct.insert(first.back().pixels);
  }
  EXPECT_GT(distinct.size(), 1u);
  std::vector<GrayImage> again(8);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      if (t % 2) grabcut(ellipse(), kObject, 1, t);
      for (size_t seed = 7 - t; seed < 8; seed -= 4)
        again[seed] = grabcut(image, kLooseBox, 2, seed);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(again, first);
}

TEST(GrabCut, BoxIsTheAnswerWhereNoBackgroundIsLeft) {
  const Box whole{0, 0, 31, 31};
  EXPECT_EQ(grabcut(ellipse(), whole, 2, 1), box_only(whole, 32));
}

// A background of a pixel or two is less than the five colour models that GrabCut fits.
TEST(GrabCut, BoxIsTheAnswerWhereAlmostNoBackgroundIsLeft) {
  Image image(2, 2);
  image.pixels = {200, 10, 10, 190, 20, 10, 210, 15, 10, 10, 10, 220};
  EXPECT_EQ(grabcut(image, {0, 0, 1, 0}, 1, 1), box_only({0, 0, 1, 0}, 2));
}

// In an image of one colour nothing can be cut; every try fails.
TEST(GrabCut, BoxIsTheAnswerWhereEveryTryFails) {
  Image image(32, 32);
  std::fill(image.pixels.begin(), image.pixels.end(), uint8_t{90});
  const GrayImage mask = grabcut(image, kObject, 1, 1);
  EXPECT_EQ(mask, box_only(kObject, 32));
}

TEST(GrabCut, BoxIsCutToTheImage) {
  EXPECT_EQ(grabcut(ellipse(), {6, 5, 40, 27}, 1, 1), grabcut(ellipse(), {6, 5, 31, 27}, 1, 1));
  EXPECT_THAT(input_error([] {
                grabcut(ellipse(), {40, 5, 50, 27}, 1, 1);
              }),
              ::testing::HasSubstr("holds no pixel"));
  EXPECT_THAT(input_error([] { grabcut(ellipse(), kObject, 0, 1); }),
              ::testing::HasSubstr("scale"));
}

}  // namespace
}  // namespace remixer::data
