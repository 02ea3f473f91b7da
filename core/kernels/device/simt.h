// SPDX-License-Identifier: Apache-2.0
// GPU primitives for device code: each is one function, with a PTX body for nvcc (ptx.h), and
// otherwise declared here for the emulator that runs the same code on a CPU
// (tests/support/simt.h).
//
// Conventions. Shared memory is addressed by byte offsets into the block's dynamic shared memory,
// 16-byte aligned for 16-byte accesses. Memory accesses take a predicate instead of being inside an
// `if`, so that the 32 lanes of a warp issue each request together. Functions marked (warp) must be
// reached by all 32 lanes of a warp, those marked (block) by all threads of a block.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define REMIXER_DEVICE __device__ __forceinline__
#define REMIXER_UNROLL _Pragma("unroll")
#else
#define REMIXER_DEVICE inline
#define REMIXER_UNROLL
#endif

namespace remixer::device {

// 16-bit floating-point types, as bits.
struct BFloat16 {
  uint16_t bits;
};
struct Half {
  uint16_t bits;
};
// 16 bytes, moved in one access.
struct alignas(16) Quad {
  uint32_t word[4];
};

}  // namespace remixer::device

#if defined(__CUDACC__)
#include "core/kernels/device/ptx.h"
#else

namespace remixer::device {

int thread_index();
int block_threads();
int block_index(int axis);  // 0 x, 1 y, 2 z

void sync_block();  // (block)
void sync_warp();   // (warp)

float shuffle_xor(float value, int lanes);  // (warp)
uint32_t ballot(bool value);                // (warp) bit l: lane l's value
void atomic_add(float* to, float value);

// Copies 16 bytes from global to shared memory, or zeros if not valid; complete after the wait.
void copy_async(uint32_t shared, const void* global, bool valid);
void copy_async_commit();
// Waits until at most `pending` of this thread's committed groups are incomplete.
template <int kPending>
void copy_async_wait();

// (warp) Loads four 8 × 8 matrices of 16-bit elements: lane l gives the address of row l % 8 of
// matrix l / 8, and receives from each matrix row l / 4, elements 2 (l % 4) and the next;
// transposed: from each matrix's transpose.
void load_matrices(uint32_t to[4], uint32_t shared);
void load_matrices_transposed(uint32_t to[4], uint32_t shared);

// (warp) c += a b by mma.m16n8k16, with a 16 × 16 and b 16 × 8. Lane l with g = l / 4, t = l % 4
// holds a: (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8); b: (2t, g), (2t + 8, g), each with
// the next along k; c: (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
template <class T>
void multiply_add(float c[4], const uint32_t a[4], const uint32_t b[2]);

// Packs two numbers to 16 bits each, rounding to nearest even; `low` is the lower half.
template <class T>
uint32_t pack(float low, float high);
template <class T>
float unpack(uint16_t bits);

float exp2(float x);
float log2(float x);
float square_root(float x);  // correctly rounded
// 2^x - 1, accurate near 0.
float exp2_minus_1(float x);

// Bodies of the templates below.
void emulated_shared_load(void* to, uint32_t from, int bytes);
void emulated_shared_store(uint32_t to, const void* from, int bytes);
void emulated_global_load(void* to, const void* from, int bytes, bool valid);
void emulated_global_store(void* to, const void* from, int bytes, bool valid);

template <class T>
T shared_load(uint32_t from) {
  T value;
  emulated_shared_load(&value, from, sizeof(T));
  return value;
}
template <class T>
void shared_store(uint32_t to, T value) {
  emulated_shared_store(to, &value, sizeof(T));
}
// Returns `otherwise` if not valid; the address is then not read.
template <class T>
T global_load(const T* from, bool valid, T otherwise) {
  emulated_global_load(&otherwise, from, sizeof(T), valid);
  return otherwise;
}
template <class T>
void global_store(T* to, T value, bool valid) {
  emulated_global_store(to, &value, sizeof(T), valid);
}

}  // namespace remixer::device
#endif
