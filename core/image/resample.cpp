// SPDX-License-Identifier: Apache-2.0
#include "core/image/resample.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numbers>

#include "core/image/resample_rows.h"

namespace remixer::data {
namespace {

double support(Filter filter) {
  if (filter == Filter::kLanczos) return 3;
  return filter == Filter::kBicubic ? 2.0 : 1.0;
}

double sinc(double x) {
  return x == 0 ? 1 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi);
}

double weight(Filter filter, double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (filter == Filter::kBilinear) return x < 1 ? 1 - x : 0;
  if (filter == Filter::kLanczos) return x < 3 ? sinc(x) * sinc(x / 3) : 0;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

void resample_row(const uint8_t* row, const Taps& columns, uint8_t* out) {
  (have_avx2() ? resample_row_avx2 : resample_row_plain)(row, columns, out);
}

void resample_column(const uint8_t* rows, size_t stride, const int32_t* coefficients, int taps,
                     size_t count, uint8_t* out) {
  (have_avx2() ? resample_column_avx2 : resample_column_plain)(rows, stride, coefficients, taps,
                                                               count, out);
}

}  // namespace

Taps filter_taps(double low, double high, int out, int window_first, int window_size,
                 Filter filter) {
  const int least = static_cast<int>(std::floor(low)), most = static_cast<int>(std::ceil(high));
  assert(out > 0 && most > least && window_first >= 0 && window_first + window_size <= out);
  const double scale = (high - low) / out, stretch = std::max(1.0, scale);
  const double radius = support(filter) * stretch;

  Taps taps;
  taps.in = most - least;
  taps.out = out;
  taps.length = (static_cast<int>(std::ceil(radius)) * 2 + 1 + 3) / 4 * 4;
  taps.first.resize(static_cast<size_t>(window_size));
  taps.coefficients.assign(static_cast<size_t>(window_size) * taps.length, 0);
  taps.begin = most;
  taps.end = least;
  std::vector<double> weights;
  for (int i = 0; i < window_size; ++i) {
    // Measured from the crop's first position, as if the crop were a separate image.
    const double centre = (low - least) + (window_first + i + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - radius + 0.5), 0);
    const int end = std::min(static_cast<int>(centre + radius + 0.5), most - least);
    weights.clear();
    double total = 0;
    for (int x = first; x < end; ++x) {
      weights.push_back(weight(filter, (x - centre + 0.5) * (1 / stretch)));
      total += weights.back();
    }
    int32_t* coefficients = &taps.coefficients[static_cast<size_t>(i) * taps.length];
    for (size_t k = 0; k < weights.size(); ++k) {
      const double value = weights[k] / total * (1 << kCoefficientBits);
      coefficients[k] = static_cast<int32_t>(value + (value < 0 ? -0.5 : 0.5));
    }
    taps.first[static_cast<size_t>(i)] = least + first;
    taps.begin = std::min(taps.begin, least + first);
    taps.end = std::max(taps.end, least + end);
  }
  return taps;
}

Resampler::Resampler(Taps columns, Taps rows)
    : columns_(std::move(columns)),
      rows_(std::move(rows)),
      vertical_first_(rows_.out < rows_.in &&
                      rows_.in - rows_.out > 2 * (columns_.in - columns_.out)),
      stride_(3 * static_cast<size_t>(vertical_first_ ? columns_.span() : columns_.size())),
      kept_(stride_ * static_cast<size_t>(rows_.span() + rows_.length) + row_bytes()) {}

size_t Resampler::row_bytes() const {
  return static_cast<size_t>(columns_.span() + columns_.length) * 3 + kPadding;
}

void Resampler::add_row(const uint8_t* row) {
  assert(added_ < rows_.span());
  uint8_t* out = &kept_[stride_ * static_cast<size_t>(added_++)];
  if (vertical_first_) {
    std::memcpy(out, row, stride_);
  } else {
    resample_row(row, columns_, out);
  }
}

Image Resampler::finish() {
  assert(added_ == rows_.span());
  Image image(columns_.size(), rows_.size());
  std::vector<uint8_t> between(vertical_first_ ? row_bytes() : 0);
  std::vector<uint8_t> narrow(static_cast<size_t>(image.width) * 3 + kPadding);
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* first =
        &kept_[stride_ * static_cast<size_t>(rows_.first[static_cast<size_t>(y)] - rows_.begin)];
    const int32_t* coefficients = &rows_.coefficients[static_cast<size_t>(y) * rows_.length];
    uint8_t* out = image.at(0, y);
    if (!vertical_first_) {
      resample_column(first, stride_, coefficients, rows_.length, stride_, out);
      continue;
    }
    resample_column(first, stride_, coefficients, rows_.length, stride_, between.data());
    resample_row(between.data(), columns_, narrow.data());
    std::memcpy(out, narrow.data(), static_cast<size_t>(image.width) * 3);
  }
  return image;
}

Image resample(const Image& image, const Resizing& resizing) {
  const auto& [crop, width, height, window, filter] = resizing;
  assert(crop.left >= 0 && crop.top >= 0 && crop.left + crop.width <= image.width &&
         crop.top + crop.height <= image.height);
  Resampler resampler(
      filter_taps(crop.left, crop.left + crop.width, width, window.left, window.width, filter),
      filter_taps(crop.top, crop.top + crop.height, height, window.top, window.height, filter));
  const int begin = resampler.columns().begin, span = resampler.columns().span();
  std::vector<uint8_t> row(resampler.row_bytes());
  for (int y = resampler.rows().begin; y < resampler.rows().end; ++y) {
    std::memcpy(row.data(), image.at(begin, y), static_cast<size_t>(span) * 3);
    resampler.add_row(row.data());
  }
  return resampler.finish();
}

}  // namespace remixer::data
