// SPDX-License-Identifier: Apache-2.0
// Computes accuracy from stored predictions: top-1, top-5, by label, and adversarial. No state.
#pragma once

#include <string>
#include <vector>

#include "base/predictions.h"

namespace remixer {

struct PredictionFigure {
  std::string metric;
  double value = 0;  // percent
  int64_t n = 0;     // number of items that the value is a mean over
  bool operator==(const PredictionFigure&) const = default;
};

// top1, top5: share of images whose likeliest class, or one of the five likeliest, is right.
//   A model class that maps to no class of the set is wrong, as in the Background Challenge.
//   An image with several right answers is right if any of them matches, and counts once.
// top1_by_label, if images have several labels: an image counts once for each of its right answers,
//   and is right for the one that was predicted, as OAMixer's released code counts ReaL-9.
// adversarial, if a foreground appears on several backgrounds: share of foregrounds that no
//   background flips, that is, that are right on all of their images.
// Requires at least one image; `truth` covers the same images.
std::vector<PredictionFigure> figures(const Predictions& predictions, const Truth& truth);

// For each image: whether the likeliest class is a right answer. top1 is the mean of this; it is
// also used to compare two models image by image on one set.
std::vector<bool> right_by_image(const Predictions& predictions, const Truth& truth);

}  // namespace remixer
