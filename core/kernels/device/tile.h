// SPDX-License-Identifier: Apache-2.0
// Tiles of 16-bit rows in shared memory: layout, loads and stores.
#pragma once

#include "core/kernels/device/simt.h"

namespace remixer::device {

constexpr int kLanes = 32;
constexpr float kLog2E = 1.4426950408889634f;
constexpr float kInfinity = __builtin_huge_valf();

// Rows of W elements (64 or 128), in chunks of 8 (16 bytes). A row's chunks are permuted so
// that the 8 rows that ldmatrix reads together are in different banks.
template <int W>
struct Tile {
  static_assert(W == 64 || W == 128);
  static constexpr int kChunks = W / 8;
  static constexpr int kRowBytes = W * 2;

  static REMIXER_DEVICE uint32_t bytes(int rows) { return rows * kRowBytes; }
  // Offset of `chunk` of `row` from the tile's start.
  static REMIXER_DEVICE uint32_t at(int row, int chunk) {
    return row * kRowBytes + (chunk ^ row % 8) * 16;
  }

  // For load_matrices: this lane's address for the 16 × 16 block at (row, chunk) as the left
  // operand of multiply_add; the registers are in its order.
  static REMIXER_DEVICE uint32_t left(uint32_t tile, int row, int chunk) {
    const int lane = thread_index() % kLanes;
    return tile + at(row + lane % 16, chunk + lane / 16);
  }
  // The same for a block of 16 rows that are columns of the right operand (its k along the row):
  // the registers are b of rows 0-7, then b of rows 8-15.
  static REMIXER_DEVICE uint32_t right(uint32_t tile, int row, int chunk) {
    const int lane = thread_index() % kLanes;
    return tile + at(row + lane % 8 + lane / 16 * 8, chunk + lane / 8 % 2);
  }
  // For load_matrices_transposed: 16 rows that are the k of the right operand, 16 columns starting
  // at chunk: the registers are b of columns 0-7, then b of columns 8-15.
  static REMIXER_DEVICE uint32_t right_transposed(uint32_t tile, int row, int chunk) {
    return left(tile, row, chunk);
  }
};

// A matrix in global memory, rows `stride` elements apart (a multiple of 8), 16-byte aligned.
template <class T>
struct Rows {
  const T* data;
  int64_t stride;
  int rows, width;  // width a multiple of 8
};

// Starts copying rows [from, from + count) to a tile; called by `threads` threads, of which this is
// number `thread`. Elements outside the matrix are zero.
template <int W, class T>
REMIXER_DEVICE void copy_tile(uint32_t tile, const Rows<T>& source, int from, int count, int column,
                              int thread, int threads) {
  for (int i = thread; i < count * Tile<W>::kChunks; i += threads) {
    const int row = i / Tile<W>::kChunks, chunk = i % Tile<W>::kChunks;
    const int c = column + chunk * 8;
    const bool valid = from + row < source.rows && c < source.width;
    const T* address = source.data + (valid ? (from + row) * source.stride + c : 0);
    copy_async(tile + Tile<W>::at(row, chunk), address, valid);
  }
}

// Writes a warp's 16 × W sums, in multiply_add's order, times `factor`, to 16-bit rows
// [row, row + 16) of a matrix, from `column` on. Goes through `tile`, 16 rows of shared memory
// private to the warp, so that whole chunks are written. (warp)
template <class T, int W>
REMIXER_DEVICE void store_sums(const float sums[W / 8][4], float factor0, float factor1,
                               uint32_t tile, T* data, int64_t stride, int rows, int width, int row,
                               int column) {
  const int lane = thread_index() % kLanes;
  const int g = lane / 4, t = lane % 4;
  sync_warp();
  REMIXER_UNROLL
  for (int n = 0; n < W / 8; ++n) {
    shared_store(tile + Tile<W>::at(g, n) + t * 4,
                 pack<T>(sums[n][0] * factor0, sums[n][1] * factor0));
    shared_store(tile + Tile<W>::at(g + 8, n) + t * 4,
                 pack<T>(sums[n][2] * factor1, sums[n][3] * factor1));
  }
  sync_warp();
  REMIXER_UNROLL
  for (int i = lane; i < 16 * Tile<W>::kChunks; i += kLanes) {
    const int r = i / Tile<W>::kChunks, chunk = i % Tile<W>::kChunks;
    const int c = column + chunk * 8;
    const bool valid = row + r < rows && c < width;
    T* to = data + (valid ? (row + r) * stride + c : 0);
    global_store(reinterpret_cast<Quad*>(to), shared_load<Quad>(tile + Tile<W>::at(r, chunk)),
                 valid);
  }
}

// Converts a 16-bit number, or a float, to float.
REMIXER_DEVICE float as_float(float x) {
  return x;
}
REMIXER_DEVICE float as_float(BFloat16 x) {
  return unpack<BFloat16>(x.bits);
}
REMIXER_DEVICE float as_float(Half x) {
  return unpack<Half>(x.bits);
}

// Sum over the 4 lanes that share a row of multiply_add's result. (warp)
REMIXER_DEVICE float sum_of_row(float x) {
  x += shuffle_xor(x, 1);
  return x + shuffle_xor(x, 2);
}
REMIXER_DEVICE float max_of_row(float x) {
  const float y = shuffle_xor(x, 1);
  x = x > y ? x : y;
  const float z = shuffle_xor(x, 2);
  return x > z ? x : z;
}

// Writes the block's sum of x, in a fixed order, to *to; `scratch`: 4 bytes of shared memory per
// warp. (block)
REMIXER_DEVICE void store_block_sum(float x, uint32_t scratch, float* to) {
  REMIXER_UNROLL
  for (int lanes = 16; lanes > 0; lanes /= 2) x += shuffle_xor(x, lanes);
  sync_block();
  if (thread_index() % kLanes == 0) shared_store(scratch + thread_index() / kLanes * 4, x);
  sync_block();
  float sum = 0;
  for (int w = 0; w < block_threads() / kLanes; ++w) sum += shared_load<float>(scratch + w * 4);
  global_store(to, sum, thread_index() == 0);
}

}  // namespace remixer::device
