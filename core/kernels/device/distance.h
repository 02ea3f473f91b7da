// SPDX-License-Identifier: Apache-2.0
// Distances between the patch labels of each image, once per batch, for the other kernels:
//
//   d_ij = Σ_k |y_ik - y_jk|, or (cosine) 1 - y_i·y_j / (|y_i| |y_j|): 0 between two zero rows, 1
//   between a zero row and another; never below 0
//
// Labels and sums are float, distances float or 16-bit. If a patch has a single label (saliency),
// only an image's N numbers are read.
#pragma once

#include "core/kernels/device/tile.h"

namespace remixer::device {

template <class Distance>
struct DistanceArguments {
  int batch, patches, channels;  // B, N, K
  bool cosine;
  const float* labels;  // [B, N, K], dense
  Distance* distance;   // [B, N, N], dense, 16-byte aligned
};

constexpr int kDistanceSide = 64;      // patches per block, vertically and horizontally
constexpr int kDistanceThreads = 256;  // 16 × 16, each computing 4 × 4 pairs
constexpr int kDistanceChunk = 32;     // labels of a patch in shared memory at a time
// Bytes per row in shared memory: 4 labels more than a chunk, so that rows use different banks.
constexpr int kDistanceRowBytes = (kDistanceChunk + 4) * 4;
constexpr int64_t kDistanceSharedBytes = 2 * kDistanceSide * kDistanceRowBytes;

namespace distance {

template <class Distance>
struct Number {
  static constexpr int kAtOnce = 8;  // in 16 bytes
  static REMIXER_DEVICE Distance of(float x) {
    return Distance{static_cast<uint16_t>(pack<Distance>(x, 0))};
  }
  static REMIXER_DEVICE Quad quad(const float* x) {
    return {{pack<Distance>(x[0], x[1]), pack<Distance>(x[2], x[3]), pack<Distance>(x[4], x[5]),
             pack<Distance>(x[6], x[7])}};
  }
};
template <>
struct Number<float> {
  static constexpr int kAtOnce = 4;
  static REMIXER_DEVICE float of(float x) { return x; }
  static REMIXER_DEVICE Quad quad(const float* x) {
    Quad all;
    __builtin_memcpy(&all, x, sizeof(all));
    return all;
  }
};

REMIXER_DEVICE float magnitude(float x) {
  return x < 0 ? -x : x;
}
REMIXER_DEVICE float between(float x, float y) {
  return magnitude(x - y);
}

// From the product of two rows and the sums of their squares. NaN labels give NaN.
REMIXER_DEVICE float cosine(float product, float squares, float other_squares) {
  if (squares == 0 || other_squares == 0) return squares == other_squares ? 0.0f : 1.0f;
  const float distance = 1 - product / (square_root(squares) * square_root(other_squares));
  return distance < 0 ? 0.0f : distance;
}

}  // namespace distance

// K = 1. Grid: (blocks of kDistanceThreads · 16 bytes of distances, 1, 1).
template <class Distance>
REMIXER_DEVICE void distance_of_numbers(const DistanceArguments<Distance>& p) {
  using Number = distance::Number<Distance>;
  constexpr int kEach = Number::kAtOnce;
  const int64_t total = static_cast<int64_t>(p.batch) * p.patches * p.patches;
  const int64_t first =
      (static_cast<int64_t>(block_index(0)) * block_threads() + thread_index()) * kEach;
  int64_t row = first / p.patches;  // row index over all B · N rows
  int column = static_cast<int>(first - row * p.patches);
  int64_t image = row / p.patches * p.patches;
  float d[kEach];
  REMIXER_UNROLL
  for (int e = 0; e < kEach; ++e) {
    const bool valid = first + e < total;
    const float x = global_load(p.labels + (valid ? row : 0), valid, 0.0f);
    const float y = global_load(p.labels + (valid ? image + column : 0), valid, 0.0f);
    d[e] = p.cosine ? distance::cosine(x * y, x * x, y * y) : distance::between(x, y);
    if (++column == p.patches) {
      column = 0;
      ++row;
      if (row == image + p.patches) image = row;
    }
  }
  const bool whole = first + kEach <= total;
  global_store(reinterpret_cast<Quad*>(p.distance + (whole ? first : 0)), Number::quad(d), whole);
  REMIXER_UNROLL
  for (int e = 0; e < kEach; ++e) {
    const bool valid = !whole && first + e < total;
    global_store(p.distance + (valid ? first + e : 0), Number::of(d[e]), valid);
  }
}

// Any K. Grid: (blocks of kDistanceSide patches j, of patches i, B); kDistanceThreads threads.
template <class Distance>
REMIXER_DEVICE void distance_of_rows(const DistanceArguments<Distance>& p) {
  const int b = block_index(2), block_i = block_index(1) * kDistanceSide,
            block_j = block_index(0) * kDistanceSide;
  const int down = thread_index() / 16, across = thread_index() % 16;
  const float* labels = p.labels + static_cast<int64_t>(b) * p.patches * p.channels;
  constexpr uint32_t kOther = kDistanceSide * kDistanceRowBytes;  // offset of rows j

  float sums[4][4], squares[4], other_squares[4];
  REMIXER_UNROLL
  for (int r = 0; r < 4; ++r) {
    squares[r] = other_squares[r] = 0;
    REMIXER_UNROLL
    for (int c = 0; c < 4; ++c) sums[r][c] = 0;
  }
  for (int from = 0; from < p.channels; from += kDistanceChunk) {
    if (from > 0) sync_block();
    REMIXER_UNROLL
    for (int n = 0; n < kDistanceSide * kDistanceChunk / kDistanceThreads; ++n) {
      const int row = n * (kDistanceThreads / kDistanceChunk) + thread_index() / kDistanceChunk;
      const int k = thread_index() % kDistanceChunk, i = block_i + row, j = block_j + row;
      const bool have = from + k < p.channels, valid_i = have && i < p.patches,
                 valid_j = have && j < p.patches;
      const int64_t at = from + k;
      const float x = global_load(
          labels + (valid_i ? static_cast<int64_t>(i) * p.channels + at : 0), valid_i, 0.0f);
      const float y = global_load(
          labels + (valid_j ? static_cast<int64_t>(j) * p.channels + at : 0), valid_j, 0.0f);
      shared_store(row * kDistanceRowBytes + k * 4, x);
      shared_store(kOther + row * kDistanceRowBytes + k * 4, y);
    }
    sync_block();
    const int left = p.channels - from;
    const int count = left < kDistanceChunk ? left : kDistanceChunk;
    for (int k = 0; k < count; k += 4) {
      float x[4][4], y[4][4];
      REMIXER_UNROLL
      for (int r = 0; r < 4; ++r) {
        const Quad own = shared_load<Quad>((down + 16 * r) * kDistanceRowBytes + k * 4);
        const Quad other =
            shared_load<Quad>(kOther + (across + 16 * r) * kDistanceRowBytes + k * 4);
        __builtin_memcpy(x[r], &own, sizeof(own));
        __builtin_memcpy(y[r], &other, sizeof(other));
      }
      REMIXER_UNROLL
      for (int e = 0; e < 4; ++e) {
        REMIXER_UNROLL
        for (int r = 0; r < 4; ++r) {
          if (p.cosine) {
            squares[r] += x[r][e] * x[r][e];
            other_squares[r] += y[r][e] * y[r][e];
          }
          REMIXER_UNROLL
          for (int c = 0; c < 4; ++c) {
            sums[r][c] += p.cosine ? x[r][e] * y[c][e] : distance::between(x[r][e], y[c][e]);
          }
        }
      }
    }
  }
  REMIXER_UNROLL
  for (int r = 0; r < 4; ++r) {
    REMIXER_UNROLL
    for (int c = 0; c < 4; ++c) {
      const int i = block_i + down + 16 * r, j = block_j + across + 16 * c;
      const bool valid = i < p.patches && j < p.patches;
      const float d =
          p.cosine ? distance::cosine(sums[r][c], squares[r], other_squares[c]) : sums[r][c];
      const int64_t at = (static_cast<int64_t>(b) * p.patches + i) * p.patches + j;
      global_store(p.distance + (valid ? at : 0), distance::Number<Distance>::of(d), valid);
    }
  }
}

}  // namespace remixer::device
