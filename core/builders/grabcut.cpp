// SPDX-License-Identifier: Apache-2.0
#include "core/builders/grabcut.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/error.h"

namespace remixer::data {

namespace {

constexpr int kIterations = 5;
constexpr int kRetries = 10;
constexpr double kLeastShareOfBox = 0.1;
constexpr int kColourModels = 5;  // for object and background each; each needs a pixel

// Seeds this thread's OpenCV generator, and restores its old state on destruction.
class SeededGenerator {
 public:
  explicit SeededGenerator(uint64_t seed) : before_(cv::theRNG().state) {
    // A multiply-with-carry generator with state zero stays at zero.
    cv::theRNG().state = seed == 0 ? ~uint64_t{0} : seed;
  }
  ~SeededGenerator() { cv::theRNG().state = before_; }

 private:
  uint64_t before_;
};

cv::Mat to_bgr(const Image& image) {
  cv::Mat mat(image.height, image.width, CV_8UC3);
  for (int y = 0; y < image.height; ++y) {
    uint8_t* row = mat.ptr<uint8_t>(y);
    for (int x = 0; x < image.width; ++x, row += 3) {
      const uint8_t* rgb = image.at(x, y);
      row[0] = rgb[2];
      row[1] = rgb[1];
      row[2] = rgb[0];
    }
  }
  return mat;
}

// The box in an image of `scale` times the size, partly covered pixels included.
cv::Rect scaled_rectangle(const Box& box, double scale, int width, int height) {
  const int x0 = std::clamp(static_cast<int>(std::floor(box.x0 * scale)), 0, width - 1);
  const int y0 = std::clamp(static_cast<int>(std::floor(box.y0 * scale)), 0, height - 1);
  const int x1 = std::clamp(static_cast<int>(std::ceil((box.x1 + 1) * scale)), x0 + 1, width);
  const int y1 = std::clamp(static_cast<int>(std::ceil((box.y1 + 1) * scale)), y0 + 1, height);
  return {x0, y0, x1 - x0, y1 - y0};
}

// One run of GrabCut; 255 marks the object. Stops once no object is left: a colour model without
// pixels cannot regain any.
GrayImage cut(const cv::Mat& bgr, const cv::Rect& rectangle, int& object_pixels) {
  cv::Mat labels, background, foreground;
  GrayImage mask(bgr.cols, bgr.rows);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    cv::grabCut(bgr, labels, rectangle, background, foreground, 1,
                iteration == 0 ? cv::GC_INIT_WITH_RECT : cv::GC_EVAL);
    object_pixels = 0;
    for (int y = 0; y < bgr.rows; ++y) {
      for (int x = 0; x < bgr.cols; ++x) {
        const uint8_t label = labels.at<uint8_t>(y, x);
        const bool object = label == cv::GC_FGD || label == cv::GC_PR_FGD;
        mask.at(x, y) = object ? 255 : 0;
        object_pixels += object;
      }
    }
    if (object_pixels == 0) break;
  }
  return mask;
}

// The first cut that covers the minimum share of the box; empty if none does.
std::optional<GrayImage> cut_until_found(const cv::Mat& bgr, const cv::Rect& rectangle,
                                         uint64_t seed) {
  const int outside = bgr.cols * bgr.rows - rectangle.area();
  if (outside < kColourModels || rectangle.area() < kColourModels) return std::nullopt;
  SeededGenerator generator(seed);
  for (int attempt = 0; attempt <= kRetries; ++attempt) {
    int object_pixels = 0;
    GrayImage mask = cut(bgr, rectangle, object_pixels);
    if (object_pixels >= kLeastShareOfBox * rectangle.area()) return mask;
  }
  return std::nullopt;
}

// The benchmark's retries. They differ only in their random starts; once two give the same cut, the
// remaining ones are skipped.
std::optional<GrayImage> challenge_cut(const cv::Mat& bgr, const cv::Rect& rectangle,
                                       uint64_t seed) {
  const int outside = bgr.cols * bgr.rows - rectangle.area();
  if (outside < kColourModels || rectangle.area() < kColourModels) return std::nullopt;
  SeededGenerator generator(seed);
  std::vector<GrayImage> too_small;
  for (int attempt = 0; attempt <= kRetries; ++attempt) {
    int object_pixels = 0;
    GrayImage mask = cut(bgr, rectangle, object_pixels);
    if (object_pixels >= kLeastShareOfBox * rectangle.area()) return mask;
    if (std::find(too_small.begin(), too_small.end(), mask) != too_small.end()) break;
    too_small.push_back(std::move(mask));
  }
  return std::nullopt;
}

GrayImage box_mask(int width, int height, const Box& box) {
  GrayImage mask(width, height);
  for (int y = box.y0; y <= box.y1; ++y) {
    for (int x = box.x0; x <= box.x1; ++x) mask.at(x, y) = 255;
  }
  return mask;
}

}  // namespace

GrayImage grabcut(const Image& image, const Box& box, double scale, uint64_t seed) {
  const Box inside{std::max(box.x0, 0), std::max(box.y0, 0), std::min(box.x1, image.width - 1),
                   std::min(box.y1, image.height - 1)};
  if (inside.x0 > inside.x1 || inside.y0 > inside.y1) {
    fail_input("box {},{} to {},{} holds no pixel of a {}x{} image", box.x0, box.y0, box.x1, box.y1,
               image.width, image.height);
  }
  if (!(scale > 0)) fail_input("GrabCut's scale must be above 0, not {}", scale);

  const int width = std::max(1, static_cast<int>(std::lround(image.width * scale)));
  const int height = std::max(1, static_cast<int>(std::lround(image.height * scale)));
  const cv::Rect rectangle = scaled_rectangle(inside, scale, width, height);
  const cv::Mat bgr = to_bgr(resize(image, width, height));
  if (const auto mask = cut_until_found(bgr, rectangle, seed)) {
    return resize(*mask, image.width, image.height);
  }
  return box_mask(image.width, image.height, inside);
}

std::optional<GrayImage> challenge_grabcut(const Image& image, const Box& box, int scale,
                                           uint64_t seed) {
  assert(box.x0 >= 0 && box.y0 >= 0 && box.x1 < image.width && box.y1 < image.height && scale > 0);
  const cv::Rect rectangle(box.x0 * scale, box.y0 * scale, (box.x1 - box.x0) * scale,
                           (box.y1 - box.y0) * scale);
  if (scale == 1) return challenge_cut(to_bgr(image), rectangle, seed);
  const Image enlarged = resize(image, image.width * scale, image.height * scale);
  const auto mask = challenge_cut(to_bgr(enlarged), rectangle, seed);
  if (!mask) return std::nullopt;
  GrayImage result = resize(*mask, image.width, image.height);
  for (uint8_t& value : result.pixels) value = value >= 128 ? 255 : 0;
  return result;
}

}  // namespace remixer::data
