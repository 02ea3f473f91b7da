// SPDX-License-Identifier: Apache-2.0
// Labels follow their image: a label map is painted from the image itself, both go through the same
// chain of transforms, and afterwards the image's own patches must say what the patch labels say.
#include "core/augment/augmented_labels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/augment/augmentation.h"
#include "core/augment/erasing.h"

namespace remixer::data {
namespace {

// Red is 255 throughout, which the colour of filled-in pixels is not; green is the label: blobs.
Image painted(int width, int height, Random& random) {
  Image image(width, height);
  const double fx = random.uniform(2, 5), fy = random.uniform(2, 5), phase = random.uniform(0, 6);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double u = (x + 0.5) / width, v = (y + 0.5) / height;
      uint8_t* pixel = image.at(x, y);
      pixel[0] = 255;
      pixel[1] = static_cast<uint8_t>(127.5 + 127 * std::sin(fx * u * 3 + phase) *
                                                  std::cos(fy * v * 3 + u));
      pixel[2] = 0;
    }
  }
  return image;
}

double saliency(const uint8_t* pixel) {
  return pixel[1] / 255.0;
}

LabelMap dense_map(const Image& image) {
  LabelMap map;
  map.width = image.width;
  map.height = image.height;
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    map.values.push_back(static_cast<float>(saliency(&image.pixels[i])));
  }
  return map;
}

constexpr int kClasses = 6;
constexpr float kLogit = 5;
int class_of(const uint8_t* pixel) {
  return std::min(pixel[1] / 86, 2);
}

LabelMap top_k_map(const Image& image) {
  LabelMap map;
  map.width = image.width;
  map.height = image.height;
  map.channels = kClasses;
  map.top_k = 1;
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    map.values.push_back(kLogit);
    map.indices.push_back(static_cast<uint16_t>(class_of(&image.pixels[i])));
  }
  return map;
}

// What the finished image itself says of a patch: means of `value` over its pixels, background
// zero.
std::vector<double> pooled(const Image& image, const Augmentation& augmentation, int grid,
                           int channels, const std::function<void(const uint8_t*, double*)>& add) {
  const int size = image.width / grid;
  std::vector<double> result(static_cast<size_t>(grid) * grid * channels, 0.0);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const auto& box = augmentation.erased;
      const bool erased = box && x >= box->left && x < box->left + box->width && y >= box->top &&
                          y < box->top + box->height;
      if (erased || image.at(x, y)[0] < 250) continue;
      const size_t patch = static_cast<size_t>(y / size) * grid + x / size;
      add(image.at(x, y), &result[patch * channels]);
    }
  }
  for (double& value : result) value /= size * size;
  return result;
}

// A chain of everything that moves things, as often as chance will have it.
Augmentation any_chain(const AugmentationSettings& settings, const ImageSize& size,
                       Random& random) {
  Augmentation augmentation = draw_augmentation(settings, size, random.below(2) == 1, random);
  constexpr Operation kMoving[] = {Operation::kRotate, Operation::kShearX, Operation::kShearY,
                                   Operation::kTranslateX, Operation::kTranslateY};
  for (uint64_t i = random.below(4); i > 0; --i) {
    const Operation operation = kMoving[random.below(5)];
    augmentation.operations.push_back(
        {operation, strength_of(operation, random.uniform(0, 10), random.below(2) == 1)});
  }
  return augmentation;
}

struct Case {
  AugmentationSettings settings;
  Image source;
  Augmentation augmentation;
  Image finished;
};

Case draw_case(uint64_t trial) {
  Random random(1, RandomPurpose::kTest, trial);
  Case one;
  one.settings.side = 224;
  if (random.below(4) > 0) one.settings.crop = CropRange{};
  one.settings.erasing = 0.5;
  one.source = painted(200 + static_cast<int>(random.below(300)),
                       200 + static_cast<int>(random.below(300)), random);
  const ImageSize size{one.source.width, one.source.height};
  one.augmentation = any_chain(one.settings, size, random);
  one.finished = augment(one.augmentation, one.source);
  return one;
}

double mean_difference(const std::vector<float>& labels, const std::vector<double>& expected) {
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) sum += std::abs(labels[i] - expected[i]);
  return sum / static_cast<double>(labels.size());
}

TEST(ViewTest, DenseLabelsSayWhatTheImageShowsAfterAnyChain) {
  int moved = 0;
  for (uint64_t trial = 0; trial < 60; ++trial) {
    SCOPED_TRACE(trial);
    const Case one = draw_case(trial);
    const int grid = trial % 2 == 0 ? 14 : 7;
    const LabelMap map = dense_map(one.source);
    const ImageSize size{one.source.width, one.source.height};
    std::vector<float> labels(static_cast<size_t>(grid) * grid);
    patch_labels(map, view_of(one.augmentation, size, 224), grid, labels.data());
    const auto expected =
        pooled(one.finished, one.augmentation, grid, 1,
               [](const uint8_t* pixel, double* sum) { *sum += saliency(pixel); });
    // A chain of warps makes pixels anew each time, so the edge of what they filled in may lie a
    // pixel elsewhere in the image than in the labels: 1/16 of a patch.
    double largest = 0;
    for (size_t i = 0; i < labels.size(); ++i) {
      largest = std::max(largest, std::abs(labels[i] - expected[i]));
    }
    EXPECT_LT(largest, 0.07);
    EXPECT_LT(mean_difference(labels, expected), 0.01);

    // Labels that stay behind are found out.
    patch_labels(map, View{}, grid, labels.data());
    moved += mean_difference(labels, expected) > 0.05;
  }
  EXPECT_GT(moved, 40);
}

TEST(ViewTest, TopKLabelsAreTheSoftmaxOfTheMeanLogits) {
  for (uint64_t trial = 0; trial < 24; ++trial) {
    SCOPED_TRACE(trial);
    const Case one = draw_case(trial);
    const ImageSize size{one.source.width, one.source.height};
    std::vector<float> labels(14 * 14 * kClasses);
    patch_labels(top_k_map(one.source), view_of(one.augmentation, size, 224), 14, labels.data());
    auto expected =
        pooled(one.finished, one.augmentation, 14, kClasses,
               [](const uint8_t* pixel, double* sums) { sums[class_of(pixel)] += kLogit; });
    for (size_t patch = 0; patch < 14 * 14; ++patch) {
      double total = 0;
      for (size_t c = 0; c < kClasses; ++c) total += std::exp(expected[patch * kClasses + c]);
      for (size_t c = 0; c < kClasses; ++c) {
        double& value = expected[patch * kClasses + c];
        value = std::exp(value) / total;
      }
    }
    // Pixels on an edge between classes have neither's colour.
    EXPECT_LT(mean_difference(labels, expected), 0.006);
  }
}

TEST(ViewTest, FilledAndErasedPatchesAreBackground) {
  Random random(1, RandomPurpose::kTest);
  const Image image = painted(64, 64, random);
  View view;
  view.side = 64;
  view.warps = {Affine{{1, 0, 32, 0, 1, 0}}};  // the right half comes from outside
  view.erased = Rectangle{0, 0, 64, 16};
  std::vector<float> labels(16), classes(16 * kClasses);
  patch_labels(dense_map(image), view, 4, labels.data());
  patch_labels(top_k_map(image), view, 4, classes.data());
  for (size_t patch = 0; patch < 16; ++patch) {
    const bool shown = patch % 4 < 2 && patch >= 4;
    EXPECT_EQ(labels[patch] > 0, shown) << patch;
    for (size_t c = 0; c < kClasses && !shown; ++c) {
      EXPECT_FLOAT_EQ(classes[patch * kClasses + c], 1.0f / kClasses);
    }
  }
}

// The two ways of pooling agree where both could be used.
TEST(ViewTest, PointsAgreeWithExactAreas) {
  Random random(2, RandomPurpose::kTest);
  const LabelMap map = dense_map(painted(300, 211, random));
  View view;
  view.side = 224;
  view.region = {.left = 0.13, .top = 0.2, .right = 0.71, .bottom = 0.93, .mirrored = true};
  std::vector<float> exact(196), points(196);
  patch_labels(map, view, 14, exact.data());
  view.warps = {Affine{}};
  patch_labels(map, view, 14, points.data());
  for (size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(exact[i], points[i], 0.01) << i;
}

}  // namespace
}  // namespace remixer::data
