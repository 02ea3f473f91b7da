// SPDX-License-Identifier: Apache-2.0
// What a model answered on each image of an evaluation set, and the figures that follow from it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace remixer {

// Images in the order of the split's samples. Of each, the `kept` likeliest classes with their
// logits, likeliest first (equal logits: the lower class first), and log Σ exp over all classes, so
// that exp(logit - normalizer) is a probability. With up to kMostKept classes all are kept.
struct Predictions {
  static constexpr int64_t kMostKept = 10;

  explicit Predictions(int64_t model_classes = 0, int64_t images = 0);
  int64_t images() const { return static_cast<int64_t>(normalizer.size()); }
  // Files one image's logits (as many as classes) under its number.
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

// What is right on a set, image by image.
struct Truth {
  std::vector<int32_t> labels;  // [images], each image's class in the set
  // Further right answers by image, where an image has several (ImageNet-ReaL). Those that name one
  // class twice stand twice.
  std::map<int64_t, std::vector<int32_t>> more_labels;
  // [images]: the number of what was pasted, the same for every image of one foreground; -1: none.
  // Empty where no image has one.
  std::vector<int32_t> foregrounds;
  // How each of the model's classes is read as one of the set's, by index; -1: as none. Empty: the
  // classes themselves.
  std::vector<int32_t> reading;

  // Whether class c of the model is a right answer for the image.
  bool is_right(int64_t image, uint16_t c) const;
  int32_t read(uint16_t c) const { return reading.empty() ? c : reading.at(c); }

  bool operator==(const Truth&) const = default;
};

struct PredictionFigure {
  std::string metric;
  double value = 0;  // percent
  int64_t n = 0;     // what it is a mean over
  bool operator==(const PredictionFigure&) const = default;
};

// top1, top5: images of which one right answer is the likeliest class, or among the five likeliest.
//   A class read as none is wrong, as the Background Challenge counts. An image with several right
//   answers is right by any of them, and counts once.
// top1_by_label, where images have several: an image counts once for each right answer that it
//   has, and is right for the one it was given, as OAMixer's released code counts ReaL-9.
// adversarial, where a foreground stands on several backgrounds: foregrounds that no background
//   flips, each right on all of its images.
// There is at least one image, and `truth` is of as many.
std::vector<PredictionFigure> figures(const Predictions& predictions, const Truth& truth);

// Of each image: whether the likeliest class is a right answer. What top1 is the mean of, and what
// two models evaluated on one set are compared by, image by image.
std::vector<bool> right_by_image(const Predictions& predictions, const Truth& truth);

}  // namespace remixer
