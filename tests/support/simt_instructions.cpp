// SPDX-License-Identifier: Apache-2.0
// The emulated body of each instruction that core/kernels/device/simt.h declares.
#include <array>
#include <cmath>
#include <cstring>

#include "core/kernels/device/simt.h"
#include "tests/support/simt_block.h"

namespace remixer::device {

using namespace remixer::testing;  // NOLINT: the emulator's own

int thread_index() {
  return g_block->running;
}
int block_threads() {
  return g_block->launch->threads;
}
int block_index(int axis) {
  return g_block->index[axis];
}

void sync_block() {
  meet(g_block->barrier, "sync_block", block_threads(), [] { ++g_block->counters.barriers; });
}
void sync_warp() {
  meet_warp("sync_warp", [] { ++my_warp().epoch; });
}

float shuffle_xor(float value, int lanes) {
  Warp& warp = my_warp();
  float result = 0;
  warp.in[my_lane()] = &value;
  warp.out[my_lane()] = &result;
  meet_warp("shuffle_xor", [&] {
    for (int l = 0; l < kLanes; ++l)
      *static_cast<float*>(warp.out[l]) = *static_cast<const float*>(warp.in[l ^ lanes]);
  });
  return result;
}

uint32_t ballot(bool value) {
  Warp& warp = my_warp();
  uint32_t result = 0;
  warp.in[my_lane()] = &value;
  warp.out[my_lane()] = &result;
  meet_warp("ballot", [&] {
    uint32_t bits = 0;
    for (int l = 0; l < kLanes; ++l)
      bits |= static_cast<uint32_t>(*static_cast<const bool*>(warp.in[l])) << l;
    for (int l = 0; l < kLanes; ++l) *static_cast<uint32_t*>(warp.out[l]) = bits;
  });
  return result;
}

void atomic_add(float* to, float value) {
  check_global(to, sizeof(float), true);
  *to += value;
}

void copy_async(uint32_t shared, const void* global, bool valid) {
  if (valid) check_global(global, 16, false);
  if (shared % 16 != 0) fault("copy_async to an address that is not 16-byte aligned");
  count_global({reinterpret_cast<uintptr_t>(global), 16, valid}, false);
  count_shared({shared, 16, true});
  const std::string wrong = g_block->shared.expect(shared, 16, who());
  if (!wrong.empty()) fault(wrong);
  self().copies.push_back({shared, global, valid});
}

void copy_async_commit() {
  self().on_the_way.push_back(std::move(self().copies));
  self().copies.clear();
}

template <int kPending>
void copy_async_wait() {
  Thread& thread = self();
  while (thread.on_the_way.size() > kPending) {
    for (const Copy& copy : thread.on_the_way.front()) {
      std::array<unsigned char, 16> bytes{};
      if (copy.valid) std::memcpy(bytes.data(), copy.global, 16);
      shared_write(copy.shared, bytes.data(), 16);
    }
    thread.on_the_way.pop_front();
  }
}
template void copy_async_wait<0>();
template void copy_async_wait<1>();
template void copy_async_wait<2>();

namespace {

struct MatricesCall {
  uint32_t* to;
  uint32_t from;
};

void load(uint32_t to[4], uint32_t shared, bool transposed) {
  if (shared % 16 != 0) fault("a matrix's row is not 16-byte aligned");
  // Each lane reads its own row, so that faults name it; the last one deals out.
  struct Row {
    uint16_t element[8];
    uint32_t* to;
    uint32_t from;
  } row{};
  shared_read(row.element, shared, 16);
  row.to = to;
  row.from = shared;
  Warp& warp = my_warp();
  warp.in[my_lane()] = &row;
  meet_warp(transposed ? "load_matrices_transposed" : "load_matrices", [&] {
    const auto row_of = [&](int i) -> const Row& { return *static_cast<const Row*>(warp.in[i]); };
    for (int m = 0; m < 4; ++m) {
      std::vector<Access> rows;
      for (int r = 0; r < 8; ++r) rows.push_back({row_of(8 * m + r).from, 16, true});
      g_block->counters.shared_wavefronts += count_wavefronts(rows);
      g_block->counters.shared_ideal_wavefronts += 1;
      for (int l = 0; l < kLanes; ++l) {
        const int g = l / 4, t = 2 * (l % 4);
        const uint16_t low =
            transposed ? row_of(8 * m + t).element[g] : row_of(8 * m + g).element[t];
        const uint16_t high =
            transposed ? row_of(8 * m + t + 1).element[g] : row_of(8 * m + g).element[t + 1];
        row_of(l).to[m] = low | static_cast<uint32_t>(high) << 16;
      }
    }
  });
}

struct Product {
  float* c;
  const uint32_t* a;
  const uint32_t* b;
};

}  // namespace

void load_matrices(uint32_t to[4], uint32_t shared) {
  load(to, shared, false);
}
void load_matrices_transposed(uint32_t to[4], uint32_t shared) {
  load(to, shared, true);
}

template <class T>
void multiply_add(float c[4], const uint32_t a[4], const uint32_t b[2]) {
  Warp& warp = my_warp();
  const Product mine{c, a, b};
  warp.in[my_lane()] = &mine;
  meet_warp("multiply_add", [&] {
    ++g_block->counters.multiply_adds;
    float left[16][16], right[16][8];
    for (int l = 0; l < kLanes; ++l) {
      const auto& from = *static_cast<const Product*>(warp.in[l]);
      const int g = l / 4, t = 2 * (l % 4);
      for (int half = 0; half < 2; ++half) {
        const auto value = [half](uint32_t word) {
          return unpack<T>(static_cast<uint16_t>(word >> (16 * half)));
        };
        left[g][t + half] = value(from.a[0]);
        left[g + 8][t + half] = value(from.a[1]);
        left[g][t + 8 + half] = value(from.a[2]);
        left[g + 8][t + 8 + half] = value(from.a[3]);
        right[t + half][g] = value(from.b[0]);
        right[t + 8 + half][g] = value(from.b[1]);
      }
    }
    for (int l = 0; l < kLanes; ++l) {
      float* sums = static_cast<const Product*>(warp.in[l])->c;
      for (int e = 0; e < 4; ++e) {
        const int row = l / 4 + 8 * (e / 2), column = 2 * (l % 4) + e % 2;
        float sum = 0;
        for (int k = 0; k < 16; ++k) sum += left[row][k] * right[k][column];
        sums[e] += sum;
      }
    }
  });
}
template void multiply_add<BFloat16>(float*, const uint32_t*, const uint32_t*);
template void multiply_add<Half>(float*, const uint32_t*, const uint32_t*);

namespace {

uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}

uint32_t to_bfloat16(float x) {
  const uint32_t bits = bits_of(x);
  if (std::isnan(x)) return 0x7fff;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

uint32_t to_half(float x) {
  const _Float16 half = static_cast<_Float16>(x);
  uint16_t bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}

}  // namespace

template <>
uint32_t pack<BFloat16>(float low, float high) {
  return to_bfloat16(low) | to_bfloat16(high) << 16;
}
template <>
uint32_t pack<Half>(float low, float high) {
  return to_half(low) | to_half(high) << 16;
}
template <>
float unpack<BFloat16>(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float x;
  std::memcpy(&x, &wide, 4);
  return x;
}
template <>
float unpack<Half>(uint16_t bits) {
  _Float16 x;
  std::memcpy(&x, &bits, 2);
  return static_cast<float>(x);
}

float exp2(float x) {
  ++g_block->counters.exponentials;
  return std::exp2(x);
}
float log2(float x) {
  return std::log2(x);
}
float square_root(float x) {
  return std::sqrt(x);
}
float exp2_minus_1(float x) {
  ++g_block->counters.exponentials;
  return std::expm1(x * 0.6931471805599453f);
}

void emulated_shared_load(void* to, uint32_t from, int bytes) {
  count_shared({from, bytes, true});
  shared_read(to, from, bytes);
}
void emulated_shared_store(uint32_t to, const void* from, int bytes) {
  count_shared({to, bytes, true});
  shared_write(to, from, bytes);
}
void emulated_global_load(void* to, const void* from, int bytes, bool valid) {
  count_global({reinterpret_cast<uintptr_t>(from), bytes, valid}, false);
  if (!valid) return;
  check_global(from, bytes, false);
  std::memcpy(to, from, bytes);
}
void emulated_global_store(void* to, const void* from, int bytes, bool valid) {
  count_global({reinterpret_cast<uintptr_t>(to), bytes, valid}, true);
  if (!valid) return;
  check_global(to, bytes, true);
  std::memcpy(to, from, bytes);
}

}  // namespace remixer::device
