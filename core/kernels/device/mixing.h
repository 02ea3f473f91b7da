// SPDX-License-Identifier: Apache-2.0
// Masked mixing of patches on tensor cores, for both the Mixer's linear map and ConvMixer's shared
// kernel:
//
//   y_b = A_b x_b (+ y_b)     A_bij = f(κ d_bij) W_ij     f(u) = e^-u, or 1 - e^-u (complement)
//
// W is dense, or Toeplitz: a kernel of S × S places on a grid of patches. A is formed in registers,
// in the order of multiply_add's left operand, and never stored. Transposed, A_bji replaces A_bij,
// which gives the gradient of x.
//
// A warp takes 16 patches and kMixingColumns channels; a block's warps share the rows of x. If W is
// Toeplitz, 16 × 16 blocks without a place of the kernel are skipped. Sums are taken in a fixed
// order.
#pragma once

#include "core/kernels/device/tile.h"

namespace remixer::device {

template <class T, class Distance>
struct MixingArguments {
  int batch, patches, channels;  // B, N, C (a multiple of 8)
  // W: dense [N, N] if kernel is 0; else [kernel, kernel] on a grid `columns` patches wide.
  const T* weight;
  int kernel, columns;
  const Distance* distance;  // [B, N, N]
  const float* kappa;        // one number in global memory
  bool complement, transposed;
  const T* x;  // [B, N, C], dense, 16-byte aligned, like the others
  T* y;        // [B, N, C]
  bool add;    // to y's old values
  // Only for mixing_gradient, in the non-transposed form.
  const T* dy;        // [B, N, C]
  int slices;         // the batch is split into this many parts of ⌈B / slices⌉ images
  float* d_weight;    // [slices, N, N]: the parts' sums, dense even if W is Toeplitz
  float* d_kappa;     // one number per block, to be summed
  float* d_distance;  // [B, N, N], or null
};

constexpr int kMixingWarps = 4;
constexpr int kMixingRows = kMixingWarps * 16;  // patches per block
constexpr int kMixingColumns = 64;              // channels per block
constexpr int kMixingChunk = 64;                // rows of x in shared memory at a time
constexpr int64_t kMixingSharedBytes =
    (2 * kMixingChunk + kMixingRows) * kMixingColumns * 2;     // two stages, and the warps' results
constexpr int64_t kGradientSharedBytes = 2 * 2 * 64 * 64 * 2;  // two stages of dy and x

namespace mixing {

// W_ij; 0 outside the matrix or the kernel.
template <class T, class Distance>
REMIXER_DEVICE float weight_at(const MixingArguments<T, Distance>& p, int i, int j) {
  bool inside = i < p.patches && j < p.patches;
  int64_t at = static_cast<int64_t>(i) * p.patches + j;
  if (p.kernel > 0) {
    const int row = j / p.columns - i / p.columns + p.kernel / 2;
    const int column = j % p.columns - i % p.columns + p.kernel / 2;
    inside = inside && row >= 0 && row < p.kernel && column >= 0 && column < p.kernel;
    at = row * p.kernel + column;
  }
  return as_float(global_load(p.weight + (inside ? at : 0), inside, T{}));
}

template <class T, class Distance>
REMIXER_DEVICE float distance_at(const MixingArguments<T, Distance>& p, int b, int i, int j) {
  const bool inside = i < p.patches && j < p.patches;
  const int64_t at = (static_cast<int64_t>(b) * p.patches + i) * p.patches + j;
  return as_float(global_load(p.distance + (inside ? at : 0), inside, Distance{}));
}

// A_ij; `kappa` is κ log2 e.
template <class T, class Distance>
REMIXER_DEVICE float entry(const MixingArguments<T, Distance>& p, float kappa, int b, int i,
                           int j) {
  const int row = p.transposed ? j : i, column = p.transposed ? i : j;
  const float exponent = -kappa * distance_at(p, b, row, column);
  const float f = p.complement ? -exp2_minus_1(exponent) : exp2(exponent);
  return f * weight_at(p, row, column);
}

// False only if the 16 × 16 block at (i, j) holds no place of the kernel.
template <class T, class Distance>
REMIXER_DEVICE bool any_place(const MixingArguments<T, Distance>& p, int i, int j) {
  if (p.kernel == 0) return true;
  const int reach = p.kernel / 2;
  return j / p.columns <= (i + 15) / p.columns + reach &&
         (j + 15) / p.columns >= i / p.columns - reach;
}

template <class T>
REMIXER_DEVICE Rows<T> image(const T* x, int b, int patches, int channels) {
  return {x + static_cast<int64_t>(b) * patches * channels, channels, patches, channels};
}

}  // namespace mixing

// Grid: (blocks of kMixingColumns channels, blocks of kMixingRows patches, B); 32 · kMixingWarps
// threads.
template <class T, class Distance>
REMIXER_DEVICE void mixing_product(const MixingArguments<T, Distance>& p) {
  using namespace mixing;
  using Columns = Tile<kMixingColumns>;
  const int b = block_index(2), column = block_index(0) * kMixingColumns;
  const int warp = thread_index() / kLanes, lane = thread_index() % kLanes;
  const int g = lane / 4, t = lane % 4;
  const int row = block_index(1) * kMixingRows + warp * 16;
  const float kappa = global_load(p.kappa, true, 0.0f) * kLog2E;
  const Rows<T> x = image(p.x, b, p.patches, p.channels);
  const uint32_t stage_bytes = Columns::bytes(kMixingChunk);
  const uint32_t own = 2 * stage_bytes + warp * Columns::bytes(16);

  float sums[kMixingColumns / 8][4];
  REMIXER_UNROLL
  for (int n = 0; n < kMixingColumns / 8; ++n) {
    REMIXER_UNROLL
    for (int e = 0; e < 4; ++e) sums[n][e] = 0;
  }
  copy_tile<kMixingColumns>(0, x, 0, kMixingChunk, column, thread_index(), block_threads());
  copy_async_commit();
  int stage = 0;
  for (int from = 0; from < p.patches; from += kMixingChunk, stage ^= 1) {
    const bool more = from + kMixingChunk < p.patches;
    if (more) {
      copy_tile<kMixingColumns>((stage ^ 1) * stage_bytes, x, from + kMixingChunk, kMixingChunk,
                                column, thread_index(), block_threads());
      copy_async_commit();
      copy_async_wait<1>();
    } else {
      copy_async_wait<0>();
    }
    sync_block();
    const int end = p.patches - from < kMixingChunk ? p.patches - from : kMixingChunk;
    for (int k = 0; k < end; k += 16) {
      const int j = from + k;
      if (!any_place(p, row, j)) continue;
      float a[8];
      REMIXER_UNROLL
      for (int e = 0; e < 8; ++e) {
        // In multiply_add's order of a: (e / 2) % 2 moves down 8 rows, e / 4 right 8 columns.
        a[e] = entry(p, kappa, b, row + g + e / 2 % 2 * 8, j + 2 * t + e / 4 * 8 + e % 2);
      }
      const uint32_t packed[4] = {pack<T>(a[0], a[1]), pack<T>(a[2], a[3]), pack<T>(a[4], a[5]),
                                  pack<T>(a[6], a[7])};
      REMIXER_UNROLL
      for (int n = 0; n < kMixingColumns / 16; ++n) {
        uint32_t right[4];
        load_matrices_transposed(right, Columns::right_transposed(stage * stage_bytes, k, 2 * n));
        multiply_add<T>(sums[2 * n], packed, right);
        multiply_add<T>(sums[2 * n + 1], packed, right + 2);
      }
    }
    if (more) sync_block();
  }
  T* y = p.y + static_cast<int64_t>(b) * p.patches * p.channels;
  if (p.add) {
    REMIXER_UNROLL
    for (int n = 0; n < kMixingColumns / 8; ++n) {
      REMIXER_UNROLL
      for (int r = 0; r < 2; ++r) {
        const int i = row + g + 8 * r, c = column + 8 * n + 2 * t;
        const bool valid = i < p.patches && c < p.channels;
        const uint32_t before =
            global_load(reinterpret_cast<const uint32_t*>(
                            y + (valid ? static_cast<int64_t>(i) * p.channels + c : 0)),
                        valid, 0u);
        sums[n][2 * r] += unpack<T>(static_cast<uint16_t>(before));
        sums[n][2 * r + 1] += unpack<T>(static_cast<uint16_t>(before >> 16));
      }
    }
  }
  store_sums<T, kMixingColumns>(sums, 1, 1, own, y, p.channels, p.patches, p.channels, row, column);
}

// dW, dκ and d distance. Grid: (blocks of 64 patches j, blocks of kMixingRows patches i, slices);
// 32 · kMixingWarps threads.
template <class T, class Distance>
REMIXER_DEVICE void mixing_gradient(const MixingArguments<T, Distance>& p) {
  using namespace mixing;
  using Chunk = Tile<64>;
  const int warp = thread_index() / kLanes, lane = thread_index() % kLanes;
  const int g = lane / 4, t = lane % 4;
  const int block_i = block_index(1) * kMixingRows, block_j = block_index(0) * 64;
  const int row = block_i + warp * 16, slice = block_index(2);
  const float true_kappa = global_load(p.kappa, true, 0.0f), kappa = true_kappa * kLog2E;
  const float sign = p.complement ? -1.0f : 1.0f;
  const uint32_t stage_bytes = 2 * Chunk::bytes(64);
  const int images = (p.batch + p.slices - 1) / p.slices;
  const int begin = slice * images;
  const int end = begin + images < p.batch ? begin + images : p.batch;
  const int chunks = (p.channels + 63) / 64;

  float d_weight[8][4], d_kappa = 0;
  REMIXER_UNROLL
  for (int n = 0; n < 8; ++n) {
    REMIXER_UNROLL
    for (int e = 0; e < 4; ++e) d_weight[n][e] = 0;
  }
  const auto fetch = [&](int b, int chunk, int stage) {
    const uint32_t to = stage * stage_bytes;
    copy_tile<64>(to, image(p.dy, b, p.patches, p.channels), block_i, 64, chunk * 64,
                  thread_index(), block_threads());
    copy_tile<64>(to + Chunk::bytes(64), image(p.x, b, p.patches, p.channels), block_j, 64,
                  chunk * 64, thread_index(), block_threads());
    copy_async_commit();
  };
  if (begin < end) fetch(begin, 0, 0);
  int stage = 0;
  for (int b = begin; b < end; ++b) {
    float products[8][4];  // Σ_c dy_ic x_jc
    REMIXER_UNROLL
    for (int n = 0; n < 8; ++n) {
      REMIXER_UNROLL
      for (int e = 0; e < 4; ++e) products[n][e] = 0;
    }
    for (int chunk = 0; chunk < chunks; ++chunk, stage ^= 1) {
      const bool last_chunk = chunk + 1 == chunks;
      const bool more = !last_chunk || b + 1 < end;
      if (more) {
        fetch(last_chunk ? b + 1 : b, last_chunk ? 0 : chunk + 1, stage ^ 1);
        copy_async_wait<1>();
      } else {
        copy_async_wait<0>();
      }
      sync_block();
      const uint32_t dy = stage * stage_bytes, x = dy + Chunk::bytes(64);
      REMIXER_UNROLL
      for (int k = 0; k < 4; ++k) {
        uint32_t a[4];
        load_matrices(a, Chunk::left(dy, warp * 16, 2 * k));
        REMIXER_UNROLL
        for (int n = 0; n < 4; ++n) {
          uint32_t right[4];
          load_matrices(right, Chunk::right(x, 16 * n, 2 * k));
          multiply_add<T>(products[2 * n], a, right);
          multiply_add<T>(products[2 * n + 1], a, right + 2);
        }
      }
      sync_block();
    }
    REMIXER_UNROLL
    for (int n = 0; n < 8; ++n) {
      REMIXER_UNROLL
      for (int e = 0; e < 4; ++e) {
        const int i = row + g + 8 * (e / 2), j = block_j + 8 * n + 2 * t + e % 2;
        const float d = distance_at(p, b, i, j), weight = weight_at(p, i, j);
        const float m = exp2(-kappa * d);
        const float f = p.complement ? -exp2_minus_1(-kappa * d) : m;
        d_weight[n][e] += f * products[n][e];
        // ∂f/∂u = -e^-u, or e^-u for the complement; u = κ d.
        const float to_u = -sign * m * weight * products[n][e];
        const bool inside = i < p.patches && j < p.patches;
        d_kappa += to_u * d;
        if (p.d_distance != nullptr) {
          const int64_t at = (static_cast<int64_t>(b) * p.patches + i) * p.patches + j;
          global_store(p.d_distance + (inside ? at : 0), true_kappa * to_u, inside);
        }
      }
    }
  }
  REMIXER_UNROLL
  for (int n = 0; n < 8; ++n) {
    REMIXER_UNROLL
    for (int e = 0; e < 4; ++e) {
      const int i = row + g + 8 * (e / 2), j = block_j + 8 * n + 2 * t + e % 2;
      const bool inside = i < p.patches && j < p.patches;
      const int64_t at = (static_cast<int64_t>(slice) * p.patches + i) * p.patches + j;
      global_store(p.d_weight + (inside ? at : 0), d_weight[n][e], inside);
    }
  }
  const int blocks = (p.patches + 63) / 64;
  store_block_sum(d_kappa, 0,
                  p.d_kappa + (static_cast<int64_t>(slice) * blocks + block_index(1)) * blocks +
                      block_index(0));
}

}  // namespace remixer::device
