// What a model answered on each image of an evaluation set: kept whole enough that any later
// statistic needs no new run. No LibTorch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/dataset/dataset.h"

namespace remixer::evaluation {

// Images in the order of the split's samples. Of each, the `kept` likeliest classes with their
// logits, likeliest first (equal logits: the lower class first), and log Σ exp over all classes, so
// that exp(logit - normalizer) is a probability. With up to kMostKept classes all are kept.
struct Answers {
  static constexpr int64_t kMostKept = 10;

  explicit Answers(int64_t model_classes = 0, int64_t images = 0);
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

  bool operator==(const Answers&) const = default;
};

// How each of a model's classes is read as one of the set's, by index; -1: as none. The classes
// themselves where they are as many. A model of ImageNet's 1000 on a nine-class set is read through
// ImageNet-9's table (core/dataset/imagenet_classes.h). Throws InputError on any other pair.
std::vector<int> class_reading(int64_t model_classes, const data::Dataset& dataset);

struct Figure {
  std::string metric;
  double value = 0;  // percent
  int64_t n = 0;     // what it is a mean over
  bool operator==(const Figure&) const = default;
};

// top1, top5: images of which one right answer is the likeliest class, or among the five likeliest,
//   as `reading` reads them. A class read as none is wrong, as the Background Challenge counts.
//   An image with several right answers (ImageNet-ReaL) is right by any of them, and counts once.
// top1_by_label, where images have several: an image counts once for each right answer that it
//   has, and is right for the one it was given, as OAMixer's released code counts ReaL-9.
// adversarial, where a foreground stands on several backgrounds (Sample::foreground): foregrounds
//   that no background flips, each right on all of its images.
std::vector<Figure> figures(const Answers& answers, const data::Dataset& dataset,
                            const std::vector<int>& reading);

}  // namespace remixer::evaluation
