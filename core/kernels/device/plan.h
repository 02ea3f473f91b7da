// SPDX-License-Identifier: Apache-2.0
// Chooses a kernel's launch parameters: grid, threads, shared memory. Plain host code.
#pragma once

#include "core/kernels/device/call.h"

namespace remixer::device {

constexpr int kAttentionMaxWidth = 128;  // D
// Every GPU since sm_80 gives a block this much (sm_86 and sm_89 have the least); on the larger
// ones two such blocks fit side by side.
constexpr int64_t kSharedLimit = 99 * 1024;
// Limit of a grid's second and third dimensions.
constexpr int64_t kMaxGrid = 65535;

// Sets width, chunk, grid, threads and shared memory of an attention kernel, given call.kernel and
// the shape in call.attention. `chunk` 0: chosen automatically.
inline void plan_attention(KernelCall& call, int chunk = 0) {
  auto& a = call.attention;
  const int tiles = (a.tokens + 15) / 16, bytes = a.width <= 64 ? 128 : 256;
  call.width = a.width <= 64 ? 64 : 128;
  if (call.kernel == Kernel::kAttentionDelta) {
    call.threads = 256;
    const int rows = call.threads / (call.width / 8);
    call.grid[0] = a.heads;
    call.grid[1] = (a.tokens + rows - 1) / rows;
    call.grid[2] = a.batch;
    call.shared_bytes = 0;
    return;
  }
  const int blocks = (tiles + 7) / 8, warps = (tiles + blocks - 1) / blocks;
  const int own = call.kernel == Kernel::kAttentionForward ? 1 : 2;
  const auto shared = [&](int rows, int stages) {
    return static_cast<int64_t>(2 * stages * rows + warps * 16 * own) * bytes;
  };
  if (chunk == 0)
    chunk = shared(16 * tiles, 1) <= kSharedLimit ? 16 * tiles : call.width == 64 ? 64 : 32;
  a.chunk = chunk;
  call.threads = 32 * warps;
  call.grid[0] = a.heads;
  call.grid[1] = blocks;
  call.grid[2] = a.batch;
  call.shared_bytes = shared(chunk, a.tokens <= chunk ? 1 : 2);
}

// The number of values that attention_backward_q writes to d_kappa.
inline int64_t attention_d_kappa_parts(const KernelCall& call) {
  return static_cast<int64_t>(call.grid[0]) * call.grid[1] * call.grid[2];
}

// The same for a mixing kernel. Set `call.mixing.slices` with plan_slices first.
inline void plan_mixing(KernelCall& call) {
  const auto& m = call.mixing;
  const int rows = (m.patches + kMixingRows - 1) / kMixingRows;
  const bool product = call.kernel == Kernel::kMixingProduct;
  call.threads = 32 * kMixingWarps;
  call.grid[0] =
      product ? (m.channels + kMixingColumns - 1) / kMixingColumns : (m.patches + 63) / 64;
  call.grid[1] = rows;
  call.grid[2] = product ? m.batch : m.slices;
  call.shared_bytes = product ? kMixingSharedBytes : kGradientSharedBytes;
}

// Chooses the distance kernel for call.distance's shape, and its launch parameters.
inline void plan_distance(KernelCall& call) {
  const auto& d = call.distance;
  call.threads = kDistanceThreads;
  if (d.channels == 1) {
    const int64_t total = static_cast<int64_t>(d.batch) * d.patches * d.patches;
    const int64_t each = kDistanceThreads * (call.float_distance ? 4 : 8);
    call.kernel = Kernel::kDistanceOfNumbers;
    call.grid[0] = static_cast<int>((total + each - 1) / each);
    call.grid[1] = call.grid[2] = 1;
    call.shared_bytes = 0;
    return;
  }
  call.kernel = Kernel::kDistanceOfRows;
  call.grid[0] = call.grid[1] = (d.patches + kDistanceSide - 1) / kDistanceSide;
  call.grid[2] = d.batch;
  call.shared_bytes = kDistanceSharedBytes;
}

// Number of parts that the batch is split into for dW: enough to fill a large GPU, and a function
// of the shape alone, so that the order of sums is the same everywhere.
inline int plan_slices(int batch, int patches) {
  const int blocks = (patches + 63) / 64 * ((patches + 63) / 64);
  const int wanted = (528 + blocks - 1) / blocks;
  const int slices = wanted < batch ? wanted : batch;
  return slices < 1 ? 1 : slices;
}

}  // namespace remixer::device
