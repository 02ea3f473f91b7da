// SPDX-License-Identifier: Apache-2.0
#include "core/augment/photometric.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace remixer::data {
namespace {

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int64_t, 256>;

uint8_t clip(int64_t value) {
  return static_cast<uint8_t>(std::clamp<int64_t>(value, 0, 255));
}

void look_up(Image& image, const std::array<Table, 3>& tables) {
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    for (size_t c = 0; c < 3; ++c) image.pixels[i + c] = tables[c][image.pixels[i + c]];
  }
}

void look_up(Image& image, const Table& table) {
  for (uint8_t& value : image.pixels) value = table[value];
}

// Table with entry value(i) for each i.
template <typename Value>
Table table_of(Value&& value) {
  Table table;
  for (int i = 0; i < 256; ++i) table[static_cast<size_t>(i)] = clip(value(i));
  return table;
}

std::array<Histogram, 3> histograms(const Image& image) {
  std::array<Histogram, 3> result{};
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    for (size_t c = 0; c < 3; ++c) ++result[c][image.pixels[i + c]];
  }
  return result;
}

// Returns without + factor · (with − without), clipped, not rounded. In single precision, like
// Pillow's blend().
uint8_t blend(uint8_t without, uint8_t with, float factor) {
  const float value = static_cast<float>(without) + factor * static_cast<float>(with - without);
  if (value <= 0) return 0;
  return value >= 255 ? 255 : static_cast<uint8_t>(value);
}

Table stretch_table(const Histogram& histogram) {
  const auto present = [](int64_t count) { return count > 0; };
  const auto low = std::find_if(histogram.begin(), histogram.end(), present) - histogram.begin();
  const auto high =
      255 - (std::find_if(histogram.rbegin(), histogram.rend(), present) - histogram.rbegin());
  if (high <= low) return table_of([](int i) { return i; });
  const double scale = 255.0 / static_cast<double>(high - low);
  const double offset = -static_cast<double>(low) * scale;
  return table_of([&](int i) { return static_cast<int64_t>(i * scale + offset); });
}

Table equalizing_table(const Histogram& histogram) {
  int64_t total = 0, last = 0, different = 0;
  for (const int64_t count : histogram) {
    total += count;
    if (count > 0) last = count, ++different;
  }
  const int64_t step = (total - last) / 255;
  if (different <= 1 || step == 0) return table_of([](int i) { return i; });
  int64_t reached = step / 2;
  return table_of([&](int i) {
    const int64_t value = reached / step;
    reached += histogram[static_cast<size_t>(i)];
    return value;
  });
}

}  // namespace

void auto_contrast(Image& image) {
  const auto counts = histograms(image);
  look_up(image, {stretch_table(counts[0]), stretch_table(counts[1]), stretch_table(counts[2])});
}

void equalize(Image& image) {
  const auto counts = histograms(image);
  look_up(image,
          {equalizing_table(counts[0]), equalizing_table(counts[1]), equalizing_table(counts[2])});
}

void invert(Image& image) {
  for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(255 - value);
}

void posterize(Image& image, int bits) {
  assert(bits >= 0 && bits <= 8);
  const int mask = ~((1 << (8 - bits)) - 1);
  for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(value & mask);
}

void solarize(Image& image, int threshold) {
  look_up(image, table_of([&](int i) { return i < threshold ? i : 255 - i; }));
}

void solarize_add(Image& image, int amount) {
  look_up(image, table_of([&](int i) { return i < 128 ? i + amount : i; }));
}

void enhance_colour(Image& image, double factor) {
  const GrayImage luma = to_gray(image);
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = blend(luma.pixels[i / 3], image.pixels[i], static_cast<float>(factor));
  }
}

void enhance_contrast(Image& image, double factor) {
  int64_t sum = 0;
  for (const uint8_t value : to_gray(image).pixels) sum += value;
  const double mean = static_cast<double>(sum) / (static_cast<double>(image.width) * image.height);
  const uint8_t grey = clip(static_cast<int64_t>(mean + 0.5));
  look_up(image, table_of([&](int i) {
            return blend(grey, static_cast<uint8_t>(i), static_cast<float>(factor));
          }));
}

void enhance_brightness(Image& image, double factor) {
  look_up(image, table_of([&](int i) {
            return blend(0, static_cast<uint8_t>(i), static_cast<float>(factor));
          }));
}

void enhance_sharpness(Image& image, double factor) {
  const Image source = image;
  const size_t stride = static_cast<size_t>(image.width) * 3;
  // The outermost pixels are not smoothed, so they are unchanged.
  for (int y = 1; y + 1 < image.height; ++y) {
    const uint8_t* middle = source.at(0, y);
    const uint8_t *above = middle - stride, *below = middle + stride;
    uint8_t* out = image.at(0, y);
    for (size_t i = 3; i + 3 < stride; ++i) {
      const int ring = above[i - 3] + above[i] + above[i + 3] + middle[i - 3] + middle[i + 3] +
                       below[i - 3] + below[i] + below[i + 3];
      // Smoothing kernel: 1 around 5, divided by 13, rounded; no sum falls on a half.
      const auto smooth = static_cast<uint8_t>((2 * (ring + 5 * middle[i]) + 13) / 26);
      out[i] = blend(smooth, middle[i], static_cast<float>(factor));
    }
  }
}

}  // namespace remixer::data
