// SPDX-License-Identifier: Apache-2.0
// A model's predictions on an evaluation set; accuracy.h computes metrics from them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace remixer {

// Images in the order of the split's samples. For each image: the `kept` likeliest classes with
// their logits, likeliest first (equal logits: lower class first), and log Σ exp over all classes,
// so that exp(logit - normalizer) is a probability. With up to kMostKept classes all are kept.
struct Predictions {
  static constexpr int64_t kMostKept = 10;

  explicit Predictions(int64_t model_classes = 0, int64_t images = 0);
  int64_t images() const { return static_cast<int64_t>(normalizer.size()); }
  // Stores one image's logits (one per class) at its index.
  void set(int64_t image, std::span<const float> all_logits);
  std::span<const uint16_t> likely(int64_t image) const {
    return {&classes[static_cast<size_t>(image * kept)], static_cast<size_t>(kept)};
  }

  int64_t model_classes = 0, kept = 0;
  std::vector<uint16_t> classes;  // [images, kept]
  std::vector<float> logits;      // [images, kept]
  std::vector<float> normalizer;  // [images]

  bool operator==(const Predictions&) const = default;
};

// The right answers of a set, image by image.
struct Truth {
  std::vector<int32_t> labels;  // [images], each image's class in the set
  // Further right answers by image, for images that have several (ImageNet-ReaL). If two of them
  // name the same class, it is listed twice.
  std::map<int64_t, std::vector<int32_t>> more_labels;
  // [images]: number of the pasted foreground, the same for all images of one foreground; -1: none.
  // Empty if no image has one.
  std::vector<int32_t> foregrounds;
  // Which class of the set each model class is mapped to, by index; -1: to none. Empty: the classes
  // are the same.
  std::vector<int32_t> reading;

  // Whether class c of the model is a right answer for the image.
  bool is_right(int64_t image, uint16_t c) const;
  int32_t read(uint16_t c) const { return reading.empty() ? c : reading.at(c); }

  bool operator==(const Truth&) const = default;
};

}  // namespace remixer
