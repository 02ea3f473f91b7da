// SPDX-License-Identifier: Apache-2.0
#include "core/explain/panel.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace remixer::explain {
namespace {

uint8_t to_byte(double linear) {
  const double clipped = std::clamp(linear, 0.0, 1.0);
  const double encoded =
      clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * std::pow(clipped, 1 / 2.4) - 0.055;
  return static_cast<uint8_t>(std::lround(255 * encoded));
}

// Catmull-Rom cubic (a = -1/2): interpolates its samples with little overshoot.
double cubic(double x) {
  const double t = std::abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  if (t < 2) return ((-0.5 * t + 2.5) * t - 4) * t + 2;
  return 0;
}

// Output pixel `i` of `size` as a weighted sum of 4 neighbouring samples of `grid` (half-pixel
// centres, edges repeated).
struct Taps {
  std::array<int, 4> index;
  std::array<double, 4> weight;
};

std::vector<Taps> taps(int grid, int size) {
  std::vector<Taps> all(static_cast<size_t>(size));
  for (int i = 0; i < size; ++i) {
    const double at = (i + 0.5) * grid / size - 0.5;
    const int first = static_cast<int>(std::floor(at)) - 1;
    for (int k = 0; k < 4; ++k) {
      all[i].index[k] = std::clamp(first + k, 0, grid - 1);
      all[i].weight[k] = cubic(at - (first + k));
    }
  }
  return all;
}

std::vector<double> scaled(const HeatMap& map) {
  const auto [least, largest] = std::minmax_element(map.values.begin(), map.values.end());
  const double low = *least, range = *largest - low;
  std::vector<double> values;
  for (const float value : map.values) values.push_back(range > 0 ? (value - low) / range : 0);
  return values;
}

void paste(const data::Image& image, int left, int top, data::Image& sheet) {
  for (int y = 0; y < image.height; ++y) {
    std::copy_n(image.at(0, y), image.width * 3, sheet.at(left, top + y));
  }
}

int gap_of(const data::Image& image) {
  return std::max(2, std::min(image.width, image.height) / 32);
}

}  // namespace

std::array<uint8_t, 3> heat_colour(double value) {
  const double t = std::clamp(value, 0.0, 1.0);
  const double lightness = 0.25 + 0.67 * t;
  const double hue = (290 - 185 * t) * std::numbers::pi / 180;
  const double chroma = 0.11 + 0.07 * t - 0.055 * std::sin(std::numbers::pi * t);
  const double a = chroma * std::cos(hue), b = chroma * std::sin(hue);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {to_byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          to_byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          to_byte(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

data::Image overlay(const data::Image& image, const HeatMap& map) {
  assert(map.values.size() == static_cast<size_t>(map.grid) * map.grid && map.grid > 0);
  constexpr double kOpacity = 0.65;
  const std::vector<double> values = scaled(map);
  const std::vector<Taps> columns = taps(map.grid, image.width),
                          rows = taps(map.grid, image.height);
  const data::GrayImage grey = data::to_gray(image);
  data::Image result(image.width, image.height);
  std::vector<double> line(static_cast<size_t>(map.grid));
  for (int y = 0; y < image.height; ++y) {
    for (int c = 0; c < map.grid; ++c) {
      line[c] = 0;
      for (int k = 0; k < 4; ++k)
        line[c] += rows[y].weight[k] * values[rows[y].index[k] * map.grid + c];
    }
    for (int x = 0; x < image.width; ++x) {
      double value = 0;
      for (int k = 0; k < 4; ++k) value += columns[x].weight[k] * line[columns[x].index[k]];
      const auto colour = heat_colour(value);
      for (int channel = 0; channel < 3; ++channel) {
        result.at(x, y)[channel] = static_cast<uint8_t>(
            std::lround(kOpacity * colour[channel] + (1 - kOpacity) * grey.at(x, y)));
      }
    }
  }
  return result;
}

data::Image side_by_side(const std::vector<data::Image>& images) {
  assert(!images.empty());
  const data::Image& first = images.front();
  const int gap = gap_of(first), count = static_cast<int>(images.size());
  data::Image sheet(count * (first.width + gap) - gap, first.height);
  std::fill(sheet.pixels.begin(), sheet.pixels.end(), 255);
  for (int i = 0; i < count; ++i) {
    assert(images[i].width == first.width && images[i].height == first.height);
    paste(images[i], i * (first.width + gap), 0, sheet);
  }
  return sheet;
}

data::Image stacked(const std::vector<data::Image>& images) {
  assert(!images.empty());
  const int gap = gap_of(images.front());
  int height = -gap;
  for (const data::Image& image : images) height += image.height + gap;
  data::Image sheet(images.front().width, height);
  std::fill(sheet.pixels.begin(), sheet.pixels.end(), 255);
  int top = 0;
  for (const data::Image& image : images) {
    assert(image.width == sheet.width);
    paste(image, 0, top, sheet);
    top += image.height + gap;
  }
  return sheet;
}

}  // namespace remixer::explain
