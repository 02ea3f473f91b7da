// SPDX-License-Identifier: Apache-2.0
#include "core/builders/background_challenge.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "core/builders/grabcut.h"
#include "core/dataset/scene.h"

namespace remixer::data {

namespace {

constexpr double kLargestShareOfCrop = 0.9;
constexpr double kLeastShareInside = 0.5;

// Maps the crop to the photograph: crop pixel (x, y) is photograph pixel (columns[x], rows[y]).
// Nearest-neighbour resizing needs nothing else.
struct Sampling {
  std::vector<int> columns, rows;          // of the crop
  std::vector<int> all_columns, all_rows;  // of the whole resized photograph
};

// The input pixels that Pillow's nearest neighbour takes: those at the output pixels' centres.
// Positions are accumulated step by step; if a centre falls between two pixels, the sum's rounding
// decides.
std::vector<int> nearest(int in, int out) {
  std::vector<int> taken;
  const double step = static_cast<double>(in) / out;
  double centre = step * 0.5;
  for (int o = 0; o < out; ++o, centre += step) {
    taken.push_back(std::min(in - 1, static_cast<int>(centre)));
  }
  return taken;
}

// The middle `crop` pixels. torchvision rounds the offset half to even.
std::vector<int> middle(const std::vector<int>& all, int crop) {
  const auto offset =
      static_cast<std::ptrdiff_t>(std::nearbyint((static_cast<double>(all.size()) - crop) / 2));
  return {all.begin() + offset, all.begin() + offset + crop};
}

Sampling sampling(int width, int height, const SquareCrop& geometry) {
  // torchvision's Resize: the longer side is truncated to an integer.
  const int shorter = std::min(width, height);
  const auto longer =
      static_cast<int>(static_cast<int64_t>(geometry.resize) * std::max(width, height) / shorter);
  const int new_width = width <= height ? geometry.resize : longer;
  const int new_height = width <= height ? longer : geometry.resize;
  Sampling result;
  result.all_columns = nearest(width, new_width);
  result.all_rows = nearest(height, new_height);
  result.columns = middle(result.all_columns, geometry.crop);
  result.rows = middle(result.all_rows, geometry.crop);
  return result;
}

Image sampled(const Image& image, const Sampling& sampling) {
  Image result(static_cast<int>(sampling.columns.size()), static_cast<int>(sampling.rows.size()));
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      std::copy_n(
          image.at(sampling.columns[static_cast<size_t>(x)], sampling.rows[static_cast<size_t>(y)]),
          3, result.at(x, y));
    }
  }
  return result;
}

GrayImage sampled(const GrayImage& image, const Sampling& sampling) {
  GrayImage result(static_cast<int>(sampling.columns.size()),
                   static_cast<int>(sampling.rows.size()));
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      result.at(x, y) =
          image.at(sampling.columns[static_cast<size_t>(x)], sampling.rows[static_cast<size_t>(y)]);
    }
  }
  return result;
}

int64_t inside(const std::vector<int>& taken, int low, int high) {
  return std::count_if(taken.begin(), taken.end(), [&](int at) { return at >= low && at <= high; });
}

// The box in crop coordinates; empty if it lies outside the crop.
std::optional<Box> box_in_crop(const Box& box, const Sampling& sampling) {
  const auto range = [](const std::vector<int>& taken, int low, int high) {
    const auto begin = std::lower_bound(taken.begin(), taken.end(), low) - taken.begin();
    const auto end = std::upper_bound(taken.begin(), taken.end(), high) - taken.begin();
    return std::pair(static_cast<int>(begin), static_cast<int>(end) - 1);
  };
  const auto [x0, x1] = range(sampling.columns, box.x0, box.x1);
  const auto [y0, y1] = range(sampling.rows, box.y0, box.y1);
  if (x0 > x1 || y0 > y1) return std::nullopt;
  return Box{x0, y0, x1, y1};
}

// The strip that Only-BG-T's tiles are cut from, as the benchmark's generator finds it. The search
// treats the box's last column and row as outside, though they are blacked.
Box tile_of(const Image& image, const Box& box) {
  const int left = box.x0, right = image.width - box.x1;
  const int above = box.y0, below = image.height - box.y1;
  const int64_t wide = int64_t{std::max(left, right)} * image.height;
  const int64_t tall = int64_t{std::max(above, below)} * image.width;
  if (wide > tall) {
    return left > right ? Box{0, 0, left - 1, image.height - 1}
                        : Box{box.x1, 0, image.width - 1, image.height - 1};
  }
  return above > below ? Box{0, 0, image.width - 1, above - 1}
                       : Box{0, box.y1, image.width - 1, image.height - 1};
}

// Only-BG-T of the whole photograph, computed only at the crop's pixels.
Image tiled(const Image& photograph, const Box& box, const Sampling& sampling) {
  const Box tile = tile_of(photograph, box);
  const int width = tile.x1 - tile.x0 + 1, height = tile.y1 - tile.y0 + 1;
  Image result = sampled(photograph, sampling);
  for (int y = 0; y < result.height; ++y) {
    const int row = sampling.rows[static_cast<size_t>(y)];
    if (row < box.y0 || row > box.y1) continue;
    for (int x = 0; x < result.width; ++x) {
      const int column = sampling.columns[static_cast<size_t>(x)];
      if (column < box.x0 || column > box.x1) continue;
      std::copy_n(photograph.at(tile.x0 + column % width, tile.y0 + row % height), 3,
                  result.at(x, y));
    }
  }
  return result;
}

}  // namespace

Image square_crop(const Image& image, const SquareCrop& geometry) {
  return sampled(image, sampling(image.width, image.height, geometry));
}

GrayImage square_crop(const GrayImage& image, const SquareCrop& geometry) {
  return sampled(image, sampling(image.width, image.height, geometry));
}

const char* rejection_text(Rejection rejection) {
  constexpr std::array<const char*, kRejections> kTexts = {
      "taken",
      "no box is known",
      "the image is torn, empty or none",
      "the box lies outside the image, its corners are swapped or its annotation is torn",
      "the annotation is of an image of another size",
      "not exactly one box",
      "the box covers over 90 % of the crop",
      "less than half of the box lies inside the crop",
      "GrabCut finds less than 10 % of the box",
      "nothing of the object lies inside the crop"};
  return kTexts[static_cast<size_t>(rejection)];
}

Rejection check_annotation(const Annotation& annotation, int width, int height,
                           const SquareCrop& geometry, Box& box) {
  if (annotation.boxes.empty()) return Rejection::kNoAnnotation;
  if (annotation.width > 0 && (annotation.width != width || annotation.height != height)) {
    return Rejection::kSizeMismatch;
  }
  if (annotation.boxes.size() != 1) return Rejection::kSeveralBoxes;
  box = annotation.boxes.front();
  if (!fit_box(box, width, height).empty()) return Rejection::kBrokenBox;
  const Sampling taken = sampling(width, height, geometry);
  const int64_t in_crop =
      inside(taken.columns, box.x0, box.x1) * inside(taken.rows, box.y0, box.y1);
  const int64_t resized =
      inside(taken.all_columns, box.x0, box.x1) * inside(taken.all_rows, box.y0, box.y1);
  const double area = static_cast<double>(geometry.crop) * geometry.crop;
  if (static_cast<double>(in_crop) > kLargestShareOfCrop * area) return Rejection::kBoxTooLarge;
  if (in_crop == 0 ||
      static_cast<double>(in_crop) < kLeastShareInside * static_cast<double>(resized)) {
    return Rejection::kBoxCutOff;
  }
  return Rejection::kNone;
}

Rejection make_challenge_image(const Image& photograph, const Box& box, const SquareCrop& geometry,
                               uint64_t seed, ChallengeImage& made) {
  const auto mask = challenge_grabcut(photograph, box, geometry.grabcut_scale, seed);
  if (!mask) return Rejection::kNoSegmentation;
  const Sampling taken = sampling(photograph.width, photograph.height, geometry);
  made.mask = sampled(*mask, taken);
  const auto square_box = box_in_crop(box, taken);
  if (!square_box || std::none_of(made.mask.pixels.begin(), made.mask.pixels.end(),
                                  [](uint8_t value) { return value != 0; })) {
    return Rejection::kEmptyMask;
  }
  made.box = *square_box;
  made.original = sampled(photograph, taken);
  made.only_bg_t = tiled(photograph, box, taken);
  return Rejection::kNone;
}

Image only_bg_b(const ChallengeImage& image) {
  return black_box(image.original, image.box);
}

Image no_fg(const ChallengeImage& image) {
  return without_object(image.original, image.mask);
}

Image only_fg(const ChallengeImage& image) {
  return paste(image.original, image.mask, Image(image.original.width, image.original.height));
}

Image mixed(const Image& only_fg, const Image& only_bg_t) {
  Image result = only_fg;
  for (size_t i = 0; i + 2 < result.pixels.size(); i += 3) {
    uint8_t* pixel = &result.pixels[i];
    if ((pixel[0] | pixel[1] | pixel[2]) == 0) std::copy_n(&only_bg_t.pixels[i], 3, pixel);
  }
  return result;
}

}  // namespace remixer::data
