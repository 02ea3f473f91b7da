// SPDX-License-Identifier: Apache-2.0
// Antialiased resizing like Pillow's Image.crop() and resize(), byte for byte.
//
// A separable filter whose support grows with the reduction; coefficients in 2^-22, sums rounded
// and clipped to 8 bits after each of the two passes. As in Pillow 13, the horizontal pass comes
// first unless the height shrinks by more than twice as many pixels as the width. Integer
// arithmetic: the same bytes on every machine, with AVX2 (chosen at run time) or without.
#pragma once

#include <cstdint>
#include <vector>

#include "core/image/geometry.h"
#include "core/image/image.h"

namespace remixer::data {

enum class Filter { kBilinear, kBicubic, kLanczos };  // bicubic: a = -0.5; Lanczos: 3 lobes

// A crop of an image, resized to width × height, of which only `window` is kept.
struct Resizing {
  Rectangle crop;
  int width = 0, height = 0;
  Rectangle window;
  Filter filter = Filter::kBicubic;
};

// Pixels outside the crop have no influence; pixels inside it do, even outside the window. The crop
// must lie inside the image, the window inside the result; all sizes at least 1.
Image resample(const Image& image, const Resizing& resizing);

// One axis: the weighted input positions of each output position.
struct Taps {
  int in = 0, out = 0;                // the whole axis, before and after
  int begin = 0, end = 0;             // range of input positions that are read
  int length = 0;                     // coefficients per output position, a multiple of 4
  std::vector<int> first;             // by output position
  std::vector<int32_t> coefficients;  // by output position, in 2^-22; padded with zeros to length
  int size() const { return static_cast<int>(first.size()); }
  int span() const { return end - begin; }
};

// Resizes [low, high) of the input to `out` positions, of which window_size from `window_first` on
// are kept. Input positions lie in [floor(low), ceil(high)).
Taps filter_taps(double low, double high, int out, int window_first, int window_size,
                 Filter filter);

// Resizes an image whose rows arrive one after the other; each is processed while in the cache. One
// thread per object.
class Resampler {
 public:
  Resampler(Taps columns, Taps rows);
  // Adds the next row of rows().begin ... end - 1. `row` points to the pixel columns().begin;
  // row_bytes() must be readable there. Bytes after the row's pixels are ignored.
  void add_row(const uint8_t* row);
  size_t row_bytes() const;
  // Call once all rows were added.
  Image finish();

  const Taps& columns() const { return columns_; }
  const Taps& rows() const { return rows_; }

 private:
  Taps columns_, rows_;
  bool vertical_first_;
  size_t stride_;              // bytes per row of kept_
  std::vector<uint8_t> kept_;  // rows as added, or already resized horizontally; padded
  int added_ = 0;
};

}  // namespace remixer::data
