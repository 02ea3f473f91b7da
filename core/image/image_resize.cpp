// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cassert>
#include <utility>

#include "core/image/image.h"

namespace remixer::data {

namespace {

// Weights of the input positions for one output position, in 1/65536; they sum to 65536.
constexpr int kShareBits = 16;
constexpr int64_t kWhole = int64_t{1} << kShareBits;

struct AxisTaps {
  int first = 0;
  std::vector<uint32_t> shares;
};

// Overlaps of output cell `o` with the input cells; both axes in units of 1/(in · out).
AxisTaps area_taps(int64_t o, int64_t in, int64_t out) {
  const int64_t begin = o * in, end = begin + in;
  AxisTaps taps;
  taps.first = static_cast<int>(begin / out);
  int64_t covered = 0, given = 0;
  for (int64_t i = taps.first; i * out < end; ++i) {
    covered += std::min(end, (i + 1) * out) - std::max(begin, i * out);
    const int64_t until = (covered * kWhole + in / 2) / in;
    taps.shares.push_back(static_cast<uint32_t>(until - given));
    given = until;
  }
  return taps;
}

AxisTaps bilinear_taps(int64_t o, int64_t in, int64_t out) {
  // The output centre in input coordinates, times 2 · out, clamped to the image.
  const int64_t unit = 2 * out;
  const int64_t centre = std::clamp<int64_t>((2 * o + 1) * in - out, 0, (in - 1) * unit);
  const int64_t first = std::min(centre / unit, std::max<int64_t>(in - 2, 0));
  const int64_t second = ((centre - first * unit) * kWhole + out) / unit;
  AxisTaps taps;
  taps.first = static_cast<int>(first);
  taps.shares.push_back(static_cast<uint32_t>(kWhole - second));
  if (second > 0) taps.shares.push_back(static_cast<uint32_t>(second));
  return taps;
}

std::vector<AxisTaps> axis_taps(int in, int out) {
  std::vector<AxisTaps> taps;
  for (int o = 0; o < out; ++o) {
    taps.push_back(out < in ? area_taps(o, in, out) : bilinear_taps(o, in, out));
  }
  return taps;
}

std::vector<uint8_t> resize_planes(const std::vector<uint8_t>& pixels, int width, int height,
                                   int channels, int new_width, int new_height) {
  assert(width > 0 && height > 0 && new_width > 0 && new_height > 0);
  const std::vector<AxisTaps> columns = axis_taps(width, new_width),
                              rows = axis_taps(height, new_height);
  const size_t new_row = static_cast<size_t>(new_width) * channels;

  // Horizontal pass first; values keep 16 fractional bits, so rounding happens once, at the end.
  std::vector<uint32_t> narrow(new_row * height);
  for (int y = 0; y < height; ++y) {
    const uint8_t* row = &pixels[static_cast<size_t>(y) * width * channels];
    uint32_t* out = &narrow[new_row * y];
    for (const AxisTaps& taps : columns) {
      for (int c = 0; c < channels; ++c, ++out) {
        const uint8_t* in = row + static_cast<size_t>(taps.first) * channels + c;
        for (size_t t = 0; t < taps.shares.size(); ++t) *out += taps.shares[t] * in[t * channels];
      }
    }
  }
  std::vector<uint8_t> result(new_row * new_height);
  std::vector<uint64_t> sums(new_row);
  for (int y = 0; y < new_height; ++y) {
    const AxisTaps& taps = rows[static_cast<size_t>(y)];
    std::fill(sums.begin(), sums.end(), uint64_t{1} << (2 * kShareBits - 1));
    for (size_t t = 0; t < taps.shares.size(); ++t) {
      const uint32_t* in = &narrow[new_row * (taps.first + t)];
      for (size_t i = 0; i < new_row; ++i) sums[i] += uint64_t{taps.shares[t]} * in[i];
    }
    for (size_t i = 0; i < new_row; ++i) {
      result[new_row * y + i] = static_cast<uint8_t>(sums[i] >> (2 * kShareBits));
    }
  }
  return result;
}

}  // namespace

Image resize(const Image& image, int width, int height) {
  Image result;
  result.width = width;
  result.height = height;
  result.pixels = resize_planes(image.pixels, image.width, image.height, 3, width, height);
  return result;
}

GrayImage resize(const GrayImage& image, int width, int height) {
  GrayImage result;
  result.width = width;
  result.height = height;
  result.pixels = resize_planes(image.pixels, image.width, image.height, 1, width, height);
  return result;
}

}  // namespace remixer::data
