// SPDX-License-Identifier: Apache-2.0
#include "base/predictions.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace remixer {

Predictions::Predictions(int64_t classes_of_model, int64_t image_count)
    : model_classes(classes_of_model),
      kept(std::min(classes_of_model, kMostKept)),
      classes(static_cast<size_t>(image_count * kept)),
      logits(classes.size()),
      normalizer(static_cast<size_t>(image_count)) {}

void Predictions::set(int64_t image, std::span<const float> all_logits) {
  assert(static_cast<int64_t>(all_logits.size()) == model_classes && image < images());
  std::vector<uint16_t> order(all_logits.size());
  std::iota(order.begin(), order.end(), uint16_t{0});
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](uint16_t a, uint16_t b) {
    return all_logits[a] != all_logits[b] ? all_logits[a] > all_logits[b] : a < b;
  });
  const double largest = all_logits[order[0]];
  double sum = 0;
  for (const float logit : all_logits) sum += std::exp(logit - largest);
  for (int64_t i = 0; i < kept; ++i) {
    classes[static_cast<size_t>(image * kept + i)] = order[static_cast<size_t>(i)];
    logits[static_cast<size_t>(image * kept + i)] = all_logits[order[static_cast<size_t>(i)]];
  }
  normalizer[static_cast<size_t>(image)] = static_cast<float>(largest + std::log(sum));
}

bool Truth::is_right(int64_t image, uint16_t c) const {
  const int32_t answer = read(c);
  if (answer == labels[static_cast<size_t>(image)]) return true;
  const auto more = more_labels.find(image);
  return more != more_labels.end() &&
         std::find(more->second.begin(), more->second.end(), answer) != more->second.end();
}

}  // namespace remixer
