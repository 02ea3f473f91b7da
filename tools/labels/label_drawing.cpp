// SPDX-License-Identifier: Apache-2.0
#include "tools/labels/label_drawing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace remixer::labelcache {
namespace {

constexpr int kLongerEdge = 512, kGap = 8;

using Colour = std::array<double, 3>;
constexpr Colour kRed = {255, 40, 40};

// Distant hues for neighbouring numbers.
Colour colour_of(int label) {
  const double hue = std::fmod(label * 0.61803398875, 1.0) * 6;
  Colour colour{};
  for (int c = 0; c < 3; ++c) {
    const double distance = std::abs(std::fmod(hue + 4 - 2 * c + 6, 6.0) - 3) - 1;
    colour[static_cast<size_t>(c)] = 255 * std::clamp(distance, 0.0, 1.0);
  }
  return colour;
}

struct Tint {
  Colour colour{};
  double strength = 0;
};

Tint tint_of(const data::LabelMap& map, size_t cell) {
  if (map.top_k == 0) {
    return {kRed, 0.7 * static_cast<double>(map.values[cell * static_cast<size_t>(map.channels)])};
  }
  const size_t first = cell * static_cast<size_t>(map.top_k);
  double named = 0;
  for (size_t r = first; r < first + static_cast<size_t>(map.top_k); ++r) {
    named += std::exp(static_cast<double>(map.values[r]) - static_cast<double>(map.values[first]));
  }
  return {colour_of(map.indices[first]), 0.75 / named};
}

// The cell at a position of the image, in fractions of it; nothing outside the map's area.
std::optional<std::pair<int, int>> cell_at(const data::LabelMap& map, double x, double y) {
  const double left = map.cover.left, top = map.cover.top;
  const double across = (x - left) / (static_cast<double>(map.cover.right) - left);
  const double down = (y - top) / (static_cast<double>(map.cover.bottom) - top);
  if (across < 0 || across >= 1 || down < 0 || down >= 1) return std::nullopt;
  return std::pair(static_cast<int>(across * map.width), static_cast<int>(down * map.height));
}

}  // namespace

data::Image draw_labels(const data::Image& image, const data::LabelMap& map) {
  const double scale = static_cast<double>(kLongerEdge) / std::max(image.width, image.height);
  const int width = std::max(1, static_cast<int>(std::lround(image.width * scale)));
  const int height = std::max(1, static_cast<int>(std::lround(image.height * scale)));
  const data::Image large = data::resize(image, width, height);
  data::Image drawn(2 * width + kGap, height);
  std::fill(drawn.pixels.begin(), drawn.pixels.end(), uint8_t{255});
  for (int y = 0; y < height; ++y) {
    std::copy_n(large.at(0, y), 3 * width, drawn.at(0, y));
    for (int x = 0; x < width; ++x) {
      const uint8_t* from = large.at(x, y);
      uint8_t* to = drawn.at(width + kGap + x, y);
      const auto cell = cell_at(map, (x + 0.5) / width, (y + 0.5) / height);
      const auto next = cell_at(map, (x + 1.5) / width, (y + 1.5) / height);
      const bool border = map.top_k > 0 && cell && cell != next &&
                          cell_at(map, (x + 1.5) / width, (y + 0.5) / height) != cell;
      Tint tint;
      if (cell) {
        tint = tint_of(map, static_cast<size_t>(cell->second) * static_cast<size_t>(map.width) +
                                static_cast<size_t>(cell->first));
      }
      for (size_t c = 0; c < 3; ++c) {
        const double mixed = from[c] * (1 - tint.strength) + tint.colour[c] * tint.strength;
        to[c] = static_cast<uint8_t>(border ? mixed * 0.6 : mixed);
      }
    }
  }
  return drawn;
}

}  // namespace remixer::labelcache
