// SPDX-License-Identifier: Apache-2.0
// What the comparison with Pillow and timm (timm_augmentation_test.py) does not see.
#include "core/augment/augmentation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/error.h"
#include "core/augment/erasing.h"
#include "core/image/image_codec.h"
#include "core/image/image_decode.h"
#include "core/image/resample_rows.h"

namespace remixer::data {
namespace {

Image noise(int width, int height, uint64_t seed = 1) {
  Image image(width, height);
  Random random(seed, RandomPurpose::kTest);
  for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(random.below(256));
  return image;
}

TEST(Resample, Avx2AndPlainLoopsGiveTheSameBytes) {
  if (!have_avx2()) GTEST_SKIP() << "this processor has no AVX2";
  Random random(3, RandomPurpose::kTest);
  for (int trial = 0; trial < 200; ++trial) {
    const int in = 1 + static_cast<int>(random.below(300)),
              out = 1 + static_cast<int>(random.below(300));
    const Taps taps =
        filter_taps(0, in, out, 0, out, trial % 2 ? Filter::kBicubic : Filter::kBilinear);
    std::vector<uint8_t> row(static_cast<size_t>(in + taps.length) * 3 + kPadding, 255);
    for (int i = 0; i < 3 * in; ++i)
      row[static_cast<size_t>(i)] = static_cast<uint8_t>(random.below(256));
    std::vector<uint8_t> plain(static_cast<size_t>(out) * 3 + 1), fast(plain);
    resample_row_plain(row.data(), taps, plain.data());
    resample_row_avx2(row.data(), taps, fast.data());
    plain.pop_back();
    fast.pop_back();
    ASSERT_EQ(plain, fast) << in << " to " << out;

    const size_t width = 1 + random.below(100);
    std::vector<uint8_t> rows(width * static_cast<size_t>(in + taps.length) + kPadding);
    for (uint8_t& value : rows) value = static_cast<uint8_t>(random.below(256));
    std::vector<uint8_t> plain_column(width), fast_column(width);
    const auto last = static_cast<size_t>(out - 1);
    const uint8_t* first = rows.data() + width * static_cast<size_t>(taps.first[last]);
    const int32_t* coefficients = &taps.coefficients[last * static_cast<size_t>(taps.length)];
    resample_column_plain(first, width, coefficients, taps.length, width, plain_column.data());
    resample_column_avx2(first, width, coefficients, taps.length, width, fast_column.data());
    ASSERT_EQ(plain_column, fast_column) << in << " to " << out;
  }
}

// A torn file is refused wherever it is cut, even where the rows that are wanted are all there.
TEST(DecodeResized, TornFilesAreRefusedWhateverIsWantedOfThem) {
  const std::string whole = encode_jpeg(noise(200, 160), 75);
  const Resizing top{{0, 0, 200, 8}, 32, 32, {0, 0, 32, 32}};
  EXPECT_EQ(decode_resized(whole, "x", top), resample(decode_image(whole, "x"), top));
  for (size_t size = 40; size + 2 < whole.size(); size += 131) {
    try {
      decode_resized(whole.substr(0, size), "sample.jpg", top);
      ADD_FAILURE() << "taken for whole at " << size << " of " << whole.size();
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("sample.jpg is a torn or invalid JPEG"));
    }
  }
}

TEST(DecodeSize, IsReadFromTheHeader) {
  EXPECT_EQ(decode_size(encode_jpeg(noise(37, 21), 75), "x"), (ImageSize{37, 21}));
  EXPECT_EQ(decode_size(encode_png(noise(37, 21)), "x"), (ImageSize{37, 21}));
  EXPECT_THROW(decode_size("\x89PNG\r\n\x1a\n", "x"), InputError);
  EXPECT_THROW(decode_size("", "x"), InputError);
}

TEST(Crop, StaysInsideAndCoversTheRange) {
  Random random(4, RandomPurpose::kTest);
  double least = 1, most = 0;
  for (int i = 0; i < 3000; ++i) {
    const ImageSize size{1 + static_cast<int>(random.below(600)),
                         1 + static_cast<int>(random.below(600))};
    const Rectangle crop = draw_crop({}, size, random);
    ASSERT_GE(crop.left, 0);
    ASSERT_GE(crop.top, 0);
    ASSERT_GE(crop.width, 1);
    ASSERT_GE(crop.height, 1);
    ASSERT_LE(crop.left + crop.width, size.width);
    ASSERT_LE(crop.top + crop.height, size.height);
    if (size.width < 100 || size.height < 100) continue;
    const double share = static_cast<double>(crop.width) * crop.height / size.width / size.height;
    least = std::min(least, share);
    most = std::max(most, share);
  }
  EXPECT_NEAR(least, 0.08, 0.02);
  EXPECT_GT(most, 0.95);
}

TEST(RandAugmentTest, DrawsEachOperationAsOftenAsThePolicySays) {
  const auto policy = experiments::parse_rand_augment("rand-m9-mstd0.5-inc1", "test");
  std::map<Operation, int> counts;
  double rotations = 0, squares = 0;
  int total = 0;
  constexpr int kTrials = 30000;
  for (uint64_t i = 0; i < kTrials; ++i) {
    Random random(5, RandomPurpose::kTest, i);
    for (const OperationDraw& draw : draw_rand_augment(policy, random)) {
      ++counts[draw.operation];
      ++total;
      if (draw.operation != Operation::kRotate) continue;
      rotations += std::abs(draw.strength);
      squares += draw.strength * draw.strength;
    }
  }
  EXPECT_NEAR(total, kTrials, 500);  // 2 operations at a chance of 1/2
  EXPECT_EQ(counts.size(), 15u);
  for (const auto& [operation, count] : counts) EXPECT_NEAR(count, kTrials / 15, 250);
  // Degrees are three times the magnitude: N(9, 0.5), cut off at 10.
  const double mean = rotations / counts[Operation::kRotate];
  EXPECT_NEAR(mean, 27, 0.1);
  EXPECT_NEAR(std::sqrt(squares / counts[Operation::kRotate] - mean * mean), 1.5, 0.1);
}

TEST(Erasing, TakesTheShareOfImagesAndAreaThatItShould) {
  int erased = 0;
  double area = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    Random random(6, RandomPurpose::kTest, i);
    const auto box = draw_erasing(0.25, 224, random);
    if (!box) continue;
    ++erased;
    area += static_cast<double>(box->width) * box->height / (224 * 224);
    ASSERT_LE(box->left + box->width, 224);
    ASSERT_LE(box->top + box->height, 224);
  }
  EXPECT_NEAR(erased / 20000.0, 0.25, 0.02);
  EXPECT_NEAR(area / erased, (0.02 + 1.0 / 3) / 2, 0.01);
}

TEST(Augmentation, ImagesOfTheModelsSizeStayAsTheyAre) {
  AugmentationSettings settings;
  settings.side = 32;
  EXPECT_FALSE(plain_augmentation(settings, {32, 32}).resizing);
  const Image image = noise(32, 32);
  EXPECT_EQ(augment(plain_augmentation(settings, {32, 32}), image), image);
  const auto other = plain_augmentation(settings, {64, 48});
  ASSERT_TRUE(other.resizing);
  EXPECT_EQ(other.resizing->height, 36);
  EXPECT_EQ(other.resizing->width, 48);
  EXPECT_EQ(other.resizing->window, (Rectangle{8, 2, 32, 32}));
}

TEST(Augmentation, BoundsInTheWrongOrderAreNamed) {
  experiments::Recipe recipe;
  recipe.crop_area_low = 0.9;
  recipe.crop_area_high = 0.5;
  try {
    augmentation_settings(recipe, 224);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("recipe.crop_area_low is 0.9, above"));
  }
}

}  // namespace
}  // namespace remixer::data
