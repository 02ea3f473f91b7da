// SPDX-License-Identifier: Apache-2.0
#include "base/accuracy.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace remixer {
namespace {

constexpr size_t kFive = 5;

struct Count {
  int64_t right = 0, all = 0;
  void add(bool is_right) {
    right += is_right;
    ++all;
  }
  PredictionFigure figure(std::string metric) const {
    return {std::move(metric), 100.0 * static_cast<double>(right) / static_cast<double>(all), all};
  }
};

// Share of foregrounds that are right on all their images; empty if each appears on one only.
std::vector<PredictionFigure> adversarial(const std::vector<bool>& right, const Truth& truth) {
  std::map<int32_t, std::pair<int64_t, bool>> foregrounds;  // images; none was wrong
  for (size_t i = 0; i < truth.foregrounds.size(); ++i) {
    if (truth.foregrounds[i] < 0) continue;
    auto& [images, whole] = foregrounds.try_emplace(truth.foregrounds[i], 0, true).first->second;
    ++images;
    whole = whole && right[i];
  }
  Count unbroken;
  bool repeated = false;
  for (const auto& [number, foreground] : foregrounds) {
    unbroken.add(foreground.second);
    repeated = repeated || foreground.first > 1;
  }
  if (!repeated) return {};
  return {unbroken.figure("adversarial")};
}

}  // namespace

std::vector<bool> right_by_image(const Predictions& predictions, const Truth& truth) {
  assert(predictions.images() == static_cast<int64_t>(truth.labels.size()));
  std::vector<bool> right;
  for (int64_t i = 0; i < predictions.images(); ++i) {
    right.push_back(truth.is_right(i, predictions.likely(i)[0]));
  }
  return right;
}

std::vector<PredictionFigure> figures(const Predictions& predictions, const Truth& truth) {
  const std::vector<bool> right = right_by_image(predictions, truth);
  Count first, among_five, by_label;
  for (int64_t i = 0; i < predictions.images(); ++i) {
    const auto likely = predictions.likely(i);
    first.add(right[static_cast<size_t>(i)]);
    among_five.add(std::any_of(likely.begin(), likely.begin() + std::min(kFive, likely.size()),
                               [&](uint16_t c) { return truth.is_right(i, c); }));
    const int32_t answer = truth.read(likely[0]);
    by_label.add(answer == truth.labels[static_cast<size_t>(i)]);
    const auto more = truth.more_labels.find(i);
    if (more == truth.more_labels.end()) continue;
    for (const int32_t label : more->second) by_label.add(answer == label);
  }
  std::vector<PredictionFigure> all{first.figure("top1"), among_five.figure("top5")};
  if (!truth.more_labels.empty()) all.push_back(by_label.figure("top1_by_label"));
  for (PredictionFigure& figure : adversarial(right, truth)) all.push_back(std::move(figure));
  return all;
}

}  // namespace remixer
