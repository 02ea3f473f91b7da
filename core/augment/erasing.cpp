// SPDX-License-Identifier: Apache-2.0
#include "core/augment/erasing.h"

#include <cmath>
#include <cstddef>

namespace remixer::data {

std::optional<Rectangle> draw_erasing(double probability, int side, Random& random) {
  if (random.uniform() > probability) return std::nullopt;
  const double area = static_cast<double>(side) * side;
  const double low = std::log(0.3), high = std::log(1 / 0.3);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = random.uniform(0.02, 1.0 / 3) * area;
    const double ratio = std::exp(random.uniform(low, high));
    const int height = static_cast<int>(std::nearbyint(std::sqrt(target * ratio)));
    const int width = static_cast<int>(std::nearbyint(std::sqrt(target / ratio)));
    if (width >= side || height >= side) continue;
    const auto top = random.below(static_cast<uint64_t>(side - height) + 1);
    const auto left = random.below(static_cast<uint64_t>(side - width) + 1);
    return Rectangle{static_cast<int>(left), static_cast<int>(top), width, height};
  }
  return std::nullopt;
}

void erase(const Rectangle& rectangle, int side, Random& random, float* image) {
  for (int channel = 0; channel < 3; ++channel) {
    for (int y = rectangle.top; y < rectangle.top + rectangle.height; ++y) {
      float* row = image + (static_cast<size_t>(channel) * side + y) * side;
      for (int x = rectangle.left; x < rectangle.left + rectangle.width; ++x) {
        row[x] = static_cast<float>(random.normal());
      }
    }
  }
}

}  // namespace remixer::data
