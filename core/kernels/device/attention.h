// SPDX-License-Identifier: Apache-2.0
// Masked attention on tensor cores, forward and backward:
//
//   S_ij = scale · q_i·k_j - κ d_ij     P = softmax(S)     o_i = Σ_j P_ij v_j
//
// for each image b and head h; d is [N, N] of image b, and 0 if i or j is a prefix token. No T × T
// matrix is stored: scores stay in registers, and backward recomputes them from `log_sums`.
//
// A warp takes 16 rows (queries, or keys for their gradients). A block takes its warps' rows and
// streams the other matrices through shared memory in chunks, double-buffered, or as a single chunk
// if it all fits: each is then read once per block. Heads are the fastest grid index, so that
// blocks that share an image's distances run side by side.
//
// Numerics: products of 16-bit factors summed in float; P and dS rounded to 16 bits for the second
// product; everything else in float. Sums are taken in a fixed order: two runs are equal, bit for
// bit.
#pragma once

#include "core/kernels/device/tile.h"

namespace remixer::device {

// One of q, k, v, o or a gradient: [B, H, T, D], D innermost and dense, other strides in elements.
// Base and strides allow 16-byte accesses.
template <class T>
struct Heads {
  T* data;
  int64_t batch, head, token;
};

template <class T, class Distance>
struct AttentionArguments {
  int batch, heads, tokens, prefix, width;  // B, H, T, prefix tokens, D (a multiple of 8)
  float scale;
  int chunk;                 // rows in shared memory at a time, a multiple of 16
  Heads<const T> q, k, v;    //
  const Distance* distance;  // [B, N, N], N = T - prefix, dense
  const float* kappa;        // one number in global memory
  Heads<T> out;              // forward: written; backward: read
  float* log_sums;           // [B, H, T]: log2 Σ_j 2^(S_ij log2 e); forward writes, backward reads
  // Backward only.
  Heads<const T> d_out;
  float* delta;  // [B, H, T]: Σ_c do_ic o_ic; attention_delta writes, the others read
  Heads<T> dq, dk, dv;
  float* d_kappa;  // one number per block of attention_backward_q, to be summed; null: not wanted
};

// Bytes of shared memory per block.
template <int W>
constexpr int64_t attention_shared_bytes(int warps, int chunk, int tokens, int tiles_a_warp) {
  const int stages = tokens <= chunk ? 1 : 2;
  return (static_cast<int64_t>(stages) * chunk * 2 + warps * 16 * tiles_a_warp) * W * 2;
}
constexpr int kForwardTiles = 1;    // private to a warp: q, later o
constexpr int kBackwardQTiles = 2;  // q and do, later dq
constexpr int kBackwardKTiles = 2;  // k and v, later dk and dv

namespace attention {

// A thread's position in the grid, for the three main kernels.
struct Place {
  int b, h, warp, warps, lane, g, t, row;  // row: first of the warp's 16
};
REMIXER_DEVICE Place place() {
  Place p;
  p.h = block_index(0);
  p.b = block_index(2);
  p.warps = block_threads() / kLanes;
  p.warp = thread_index() / kLanes;
  p.lane = thread_index() % kLanes;
  p.g = p.lane / 4;
  p.t = p.lane % 4;
  p.row = (block_index(1) * p.warps + p.warp) * 16;
  return p;
}

template <class T>
REMIXER_DEVICE Rows<T> rows_of(const Heads<const T>& x, int b, int h, int tokens, int width) {
  return {x.data + b * x.batch + h * x.head, x.token, tokens, width};
}
template <class T>
REMIXER_DEVICE T* begin_of(const Heads<T>& x, int b, int h) {
  return x.data + b * x.batch + h * x.head;
}

// d_ij of token pair (i, j); 0 for prefix tokens and past the last token.
template <class Distance>
REMIXER_DEVICE float distance_at(const Distance* d, int patches, int prefix, int i, int j) {
  i -= prefix, j -= prefix;
  const bool inside = i >= 0 && j >= 0 && i < patches && j < patches;
  return as_float(
      global_load(d + (inside ? static_cast<int64_t>(i) * patches + j : 0), inside, Distance{}));
}

// Streams two matrices in chunks, stored side by side in a stage; calls body(the first's tile, the
// second's tile, first row, rows) for each chunk. (block)
template <int W, class T, class Body>
REMIXER_DEVICE void stream(const Rows<T>& first, const Rows<T>& second, int chunk, Body&& body) {
  const uint32_t tile = Tile<W>::bytes(chunk);
  const auto fetch = [&](int from, int stage) {
    const uint32_t to = stage * 2 * tile;
    const int left = (first.rows - from + 15) / 16 * 16;
    const int count = left < chunk ? left : chunk;
    copy_tile<W>(to, first, from, count, 0, thread_index(), block_threads());
    copy_tile<W>(to + tile, second, from, count, 0, thread_index(), block_threads());
    copy_async_commit();
  };
  fetch(0, 0);
  int stage = 0;
  for (int from = 0; from < first.rows; from += chunk, stage ^= 1) {
    if (from + chunk < first.rows) {
      fetch(from + chunk, stage ^ 1);
      copy_async_wait<1>();
    } else {
      copy_async_wait<0>();
    }
    sync_block();
    const int left = (first.rows - from + 15) / 16 * 16;
    body(stage * 2 * tile, stage * 2 * tile + tile, from, left < chunk ? left : chunk);
    if (from + chunk < first.rows) sync_block();
  }
}

template <int W>
REMIXER_DEVICE void load_left(uint32_t to[W / 16][4], uint32_t tile) {
  REMIXER_UNROLL
  for (int k = 0; k < W / 16; ++k) load_matrices(to[k], Tile<W>::left(tile, 0, 2 * k));
}

// sums[2] (16 × 16) = a · (rows [row, row + 16) of tile)ᵀ.
template <class T, int W>
REMIXER_DEVICE void multiply_rows(float sums[2][4], const uint32_t a[W / 16][4], uint32_t tile,
                                  int row) {
  REMIXER_UNROLL
  for (int e = 0; e < 4; ++e) sums[0][e] = sums[1][e] = 0;
  REMIXER_UNROLL
  for (int k = 0; k < W / 16; ++k) {
    uint32_t b[4];
    load_matrices(b, Tile<W>::right(tile, row, 2 * k));
    multiply_add<T>(sums[0], a[k], b);
    multiply_add<T>(sums[1], a[k], b + 2);
  }
}

// The same with the left operand in shared memory, 16 rows.
template <class T, int W>
REMIXER_DEVICE void multiply_rows(float sums[2][4], uint32_t left, uint32_t tile, int row) {
  REMIXER_UNROLL
  for (int e = 0; e < 4; ++e) sums[0][e] = sums[1][e] = 0;
  REMIXER_UNROLL
  for (int k = 0; k < W / 16; ++k) {
    uint32_t a[4], b[4];
    load_matrices(a, Tile<W>::left(left, 0, 2 * k));
    load_matrices(b, Tile<W>::right(tile, row, 2 * k));
    multiply_add<T>(sums[0], a, b);
    multiply_add<T>(sums[1], a, b + 2);
  }
}

// sums (16 × W) += a (16 × 16, as sums of a product) · rows [row, row + 16) of tile.
template <class T, int W>
REMIXER_DEVICE void accumulate(float sums[W / 8][4], const float a[2][4], uint32_t tile, int row) {
  const uint32_t packed[4] = {pack<T>(a[0][0], a[0][1]), pack<T>(a[0][2], a[0][3]),
                              pack<T>(a[1][0], a[1][1]), pack<T>(a[1][2], a[1][3])};
  REMIXER_UNROLL
  for (int n = 0; n < W / 16; ++n) {
    uint32_t b[4];
    load_matrices_transposed(b, Tile<W>::right_transposed(tile, row, 2 * n));
    multiply_add<T>(sums[2 * n], packed, b);
    multiply_add<T>(sums[2 * n + 1], packed, b + 2);
  }
}

template <int W>
REMIXER_DEVICE void clear(float sums[W / 8][4]) {
  REMIXER_UNROLL
  for (int n = 0; n < W / 8; ++n) {
    REMIXER_UNROLL
    for (int e = 0; e < 4; ++e) sums[n][e] = 0;
  }
}

// Row and column, within the 16 × 16 block, of element e of half n of sums.
REMIXER_DEVICE int row_in(const Place& p, int e) {
  return p.g + 8 * (e / 2);
}
REMIXER_DEVICE int column_in(const Place& p, int n, int e) {
  return 8 * n + 2 * p.t + e % 2;
}

}  // namespace attention

// Grid: (H, blocks of 16 · warps queries, B).
template <class T, class Distance, int W>
REMIXER_DEVICE void attention_forward(const AttentionArguments<T, Distance>& p) {
  using namespace attention;
  const Place at = place();
  const int stages = p.tokens <= p.chunk ? 1 : 2;
  const uint32_t own = stages * 2 * Tile<W>::bytes(p.chunk) + at.warp * Tile<W>::bytes(16);
  copy_tile<W>(own, rows_of(p.q, at.b, at.h, p.tokens, p.width), at.row, 16, 0, at.lane, kLanes);
  const int patches = p.tokens - p.prefix;
  const Distance* distance = p.distance + static_cast<int64_t>(at.b) * patches * patches;
  const float kappa = global_load(p.kappa, true, 0.0f) * kLog2E, scale = p.scale * kLog2E;

  uint32_t q[W / 16][4];
  bool have_q = false;
  float sums[W / 8][4], top[2] = {-kInfinity, -kInfinity}, total[2] = {0, 0};
  clear<W>(sums);
  stream<W>(
      rows_of(p.k, at.b, at.h, p.tokens, p.width), rows_of(p.v, at.b, at.h, p.tokens, p.width),
      p.chunk, [&](uint32_t k, uint32_t v, int from, int count) {
        if (at.row >= p.tokens) return;
        if (!have_q) load_left<W>(q, own);
        have_q = true;
        for (int key = 0; key < count; key += 16) {
          float s[2][4], highest[2] = {top[0], top[1]};
          multiply_rows<T, W>(s, q, k, key);
          REMIXER_UNROLL
          for (int n = 0; n < 2; ++n) {
            REMIXER_UNROLL
            for (int e = 0; e < 4; ++e) {
              const int j = from + key + column_in(at, n, e);
              const float d = distance_at(distance, patches, p.prefix, at.row + row_in(at, e), j);
              s[n][e] = j < p.tokens ? s[n][e] * scale - kappa * d : -kInfinity;
              highest[e / 2] = s[n][e] > highest[e / 2] ? s[n][e] : highest[e / 2];
            }
          }
          float shrink[2];
          REMIXER_UNROLL
          for (int r = 0; r < 2; ++r) {
            highest[r] = max_of_row(highest[r]);
            shrink[r] = exp2(top[r] - highest[r]);
            top[r] = highest[r];
            total[r] *= shrink[r];
          }
          REMIXER_UNROLL
          for (int n = 0; n < 2; ++n) {
            REMIXER_UNROLL
            for (int e = 0; e < 4; ++e) {
              s[n][e] = exp2(s[n][e] - top[e / 2]);
              total[e / 2] += s[n][e];
            }
          }
          // Rescale only if a row's maximum grew.
          if (ballot(shrink[0] != 1 || shrink[1] != 1) != 0) {
            REMIXER_UNROLL
            for (int n = 0; n < W / 8; ++n) {
              REMIXER_UNROLL
              for (int e = 0; e < 4; ++e) sums[n][e] *= shrink[e / 2];
            }
          }
          accumulate<T, W>(sums, s, v, key);
        }
      });
  total[0] = sum_of_row(total[0]);
  total[1] = sum_of_row(total[1]);
  store_sums<T, W>(sums, 1 / total[0], 1 / total[1], own, begin_of(p.out, at.b, at.h), p.out.token,
                   p.tokens, p.width, at.row, 0);
  float* log_sums = p.log_sums + (static_cast<int64_t>(at.b) * p.heads + at.h) * p.tokens;
  REMIXER_UNROLL
  for (int r = 0; r < 2; ++r) {
    const int i = at.row + at.g + 8 * r;
    const bool valid = at.t == 0 && i < p.tokens;
    global_store(log_sums + (valid ? i : 0), top[r] + log2(total[r]), valid);
  }
}

// delta. Grid: (H, blocks of attention_delta_rows(threads) = threads / (W / 8) rows, B).
template <int W>
constexpr int attention_delta_rows(int threads) {
  return threads / (W / 8);
}
template <class T, class Distance, int W>
REMIXER_DEVICE void attention_delta(const AttentionArguments<T, Distance>& p) {
  constexpr int kChunks = W / 8;  // lanes per row
  const int b = block_index(2), h = block_index(0);
  const int i = block_index(1) * (block_threads() / kChunks) + thread_index() / kChunks;
  const int c = thread_index() % kChunks * 8;
  const bool valid = i < p.tokens && c < p.width;
  const T* out = attention::begin_of(p.out, b, h) + (valid ? i * p.out.token + c : 0);
  const T* d_out = attention::begin_of(p.d_out, b, h) + (valid ? i * p.d_out.token + c : 0);
  const Quad x = global_load(reinterpret_cast<const Quad*>(out), valid, Quad{});
  const Quad y = global_load(reinterpret_cast<const Quad*>(d_out), valid, Quad{});
  float sum = 0;
  REMIXER_UNROLL
  for (int w = 0; w < 4; ++w) {
    sum +=
        unpack<T>(static_cast<uint16_t>(x.word[w])) * unpack<T>(static_cast<uint16_t>(y.word[w]));
    sum += unpack<T>(static_cast<uint16_t>(x.word[w] >> 16)) *
           unpack<T>(static_cast<uint16_t>(y.word[w] >> 16));
  }
  REMIXER_UNROLL
  for (int lanes = 1; lanes < kChunks; lanes *= 2) sum += shuffle_xor(sum, lanes);
  const bool writes = i < p.tokens && c == 0;
  float* delta = p.delta + (static_cast<int64_t>(b) * p.heads + h) * p.tokens;
  global_store(delta + (writes ? i : 0), sum, writes);
}

// dq and dκ. Grid as forward's.
template <class T, class Distance, int W>
REMIXER_DEVICE void attention_backward_q(const AttentionArguments<T, Distance>& p) {
  using namespace attention;
  const Place at = place();
  const int stages = p.tokens <= p.chunk ? 1 : 2;
  const uint32_t all_own = stages * 2 * Tile<W>::bytes(p.chunk);
  const uint32_t own = all_own + at.warp * 2 * Tile<W>::bytes(16);
  copy_tile<W>(own, rows_of(p.q, at.b, at.h, p.tokens, p.width), at.row, 16, 0, at.lane, kLanes);
  copy_tile<W>(own + Tile<W>::bytes(16), rows_of(p.d_out, at.b, at.h, p.tokens, p.width), at.row,
               16, 0, at.lane, kLanes);
  const int patches = p.tokens - p.prefix;
  const Distance* distance = p.distance + static_cast<int64_t>(at.b) * patches * patches;
  const float kappa = global_load(p.kappa, true, 0.0f) * kLog2E, scale = p.scale * kLog2E;
  const int64_t rows = (static_cast<int64_t>(at.b) * p.heads + at.h) * p.tokens;
  float log_sum[2], delta[2];
  REMIXER_UNROLL
  for (int r = 0; r < 2; ++r) {
    const int i = at.row + at.g + 8 * r;
    const bool valid = i < p.tokens;
    log_sum[r] = global_load<float>(p.log_sums + rows + (valid ? i : 0), valid, kInfinity);
    delta[r] = global_load<float>(p.delta + rows + (valid ? i : 0), valid, 0);
  }

  // Wide rows of q and do would need too many registers: they are reloaded each time.
  constexpr bool kKeepsLeft = W <= 64;
  uint32_t q[W / 16][4], d_out[W / 16][4];
  bool have_left = false;
  float sums[W / 8][4];
  // Per row, for dκ = -Σ_i (Σ_j P dP d - Σ_j P dP · Σ_j P d). Using delta instead would carry its
  // rounding (from the rounded o) into a sum over the whole batch.
  float weighted[2] = {0, 0}, plain[2] = {0, 0}, apart[2] = {0, 0};
  clear<W>(sums);
  stream<W>(
      rows_of(p.k, at.b, at.h, p.tokens, p.width), rows_of(p.v, at.b, at.h, p.tokens, p.width),
      p.chunk, [&](uint32_t k, uint32_t v, int from, int count) {
        if (at.row >= p.tokens) return;
        if (kKeepsLeft && !have_left) {
          load_left<W>(q, own);
          load_left<W>(d_out, own + Tile<W>::bytes(16));
        }
        have_left = true;
        for (int key = 0; key < count; key += 16) {
          float s[2][4], dp[2][4];
          if (kKeepsLeft) {
            multiply_rows<T, W>(s, q, k, key);
            multiply_rows<T, W>(dp, d_out, v, key);
          } else {
            multiply_rows<T, W>(s, own, k, key);
            multiply_rows<T, W>(dp, own + Tile<W>::bytes(16), v, key);
          }
          REMIXER_UNROLL
          for (int n = 0; n < 2; ++n) {
            REMIXER_UNROLL
            for (int e = 0; e < 4; ++e) {
              const int j = from + key + column_in(at, n, e);
              const float d = distance_at(distance, patches, p.prefix, at.row + row_in(at, e), j);
              const float log_p = s[n][e] * scale - kappa * d - log_sum[e / 2];
              const float weight = j < p.tokens ? exp2(log_p) : 0;
              const float part = weight * dp[n][e];
              s[n][e] = part - weight * delta[e / 2];
              weighted[e / 2] += part * d;
              plain[e / 2] += part;
              apart[e / 2] += weight * d;
            }
          }
          accumulate<T, W>(sums, s, k, key);
        }
      });
  store_sums<T, W>(sums, p.scale, p.scale, own, begin_of(p.dq, at.b, at.h), p.dq.token, p.tokens,
                   p.width, at.row, 0);
  if (p.d_kappa == nullptr) return;
  float d_kappa = 0;
  REMIXER_UNROLL
  for (int r = 0; r < 2; ++r) {
    const float all_weighted = sum_of_row(weighted[r]), all_plain = sum_of_row(plain[r]);
    const float all_apart = sum_of_row(apart[r]);
    if (at.t == 0) d_kappa += all_plain * all_apart - all_weighted;
  }
  // The grid has H · blocks · B blocks.
  const int blocks = (p.tokens + 16 * at.warps - 1) / (16 * at.warps);
  const int64_t block = (static_cast<int64_t>(at.b) * blocks + block_index(1)) * p.heads + at.h;
  store_block_sum(d_kappa, all_own, p.d_kappa + block);
}

// dk and dv. Grid: (H, blocks of 16 · warps keys, B).
template <class T, class Distance, int W>
REMIXER_DEVICE void attention_backward_kv(const AttentionArguments<T, Distance>& p) {
  using namespace attention;
  const Place at = place();
  const int stages = p.tokens <= p.chunk ? 1 : 2;
  const uint32_t own = stages * 2 * Tile<W>::bytes(p.chunk) + at.warp * 2 * Tile<W>::bytes(16);
  const uint32_t own_k = own, own_v = own + Tile<W>::bytes(16);
  copy_tile<W>(own_k, rows_of(p.k, at.b, at.h, p.tokens, p.width), at.row, 16, 0, at.lane, kLanes);
  copy_tile<W>(own_v, rows_of(p.v, at.b, at.h, p.tokens, p.width), at.row, 16, 0, at.lane, kLanes);
  const int patches = p.tokens - p.prefix;
  const Distance* distance = p.distance + static_cast<int64_t>(at.b) * patches * patches;
  const float kappa = global_load(p.kappa, true, 0.0f) * kLog2E, scale = p.scale * kLog2E;
  const int64_t rows = (static_cast<int64_t>(at.b) * p.heads + at.h) * p.tokens;

  float dk[W / 8][4], dv[W / 8][4];
  clear<W>(dk);
  clear<W>(dv);
  stream<W>(
      rows_of(p.q, at.b, at.h, p.tokens, p.width), rows_of(p.d_out, at.b, at.h, p.tokens, p.width),
      p.chunk, [&](uint32_t q, uint32_t d_out, int from, int count) {
        if (at.row >= p.tokens) return;
        for (int query = 0; query < count; query += 16) {
          // Here rows are keys j, and columns are queries i.
          float s[2][4], dp[2][4], weight[2][4];
          multiply_rows<T, W>(s, own_k, q, query);
          multiply_rows<T, W>(dp, own_v, d_out, query);
          REMIXER_UNROLL
          for (int n = 0; n < 2; ++n) {
            REMIXER_UNROLL
            for (int e = 0; e < 2; ++e) {
              const int i = from + query + column_in(at, n, e);
              const bool valid = i < p.tokens;
              const int64_t row = rows + (valid ? i : 0);
              const float log_sum = global_load<float>(p.log_sums + row, valid, kInfinity);
              const float delta = global_load<float>(p.delta + row, valid, 0);
              REMIXER_UNROLL
              for (int r = 0; r < 2; ++r) {
                const int a = e + 2 * r;
                const float d = distance_at(distance, patches, p.prefix, i, at.row + row_in(at, a));
                weight[n][a] = exp2(s[n][a] * scale - kappa * d - log_sum);
                s[n][a] = weight[n][a] * (dp[n][a] - delta);
              }
            }
          }
          accumulate<T, W>(dv, weight, d_out, query);
          accumulate<T, W>(dk, s, q, query);
        }
      });
  store_sums<T, W>(dk, p.scale, p.scale, own_k, begin_of(p.dk, at.b, at.h), p.dk.token, p.tokens,
                   p.width, at.row, 0);
  store_sums<T, W>(dv, 1, 1, own_v, begin_of(p.dv, at.b, at.h), p.dv.token, p.tokens, p.width,
                   at.row, 0);
}

}  // namespace remixer::device
