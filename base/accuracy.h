// SPDX-License-Identifier: Apache-2.0
// Accuracy from stored predictions: top-1, top-5, by label, and against every background. No state.
#pragma once

#include <string>
#include <vector>

#include "base/predictions.h"

namespace remixer {

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
