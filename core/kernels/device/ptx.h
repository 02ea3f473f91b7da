// SPDX-License-Identifier: Apache-2.0
// The bodies of simt.h's functions for nvcc; sm_80 and later.
#pragma once

#include "core/kernels/device/simt.h"

namespace remixer::device {

extern __shared__ __align__(16) unsigned char shared_memory[];

REMIXER_DEVICE uint32_t shared_address(uint32_t offset) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(shared_memory)) + offset;
}

REMIXER_DEVICE int thread_index() {
  return threadIdx.x;
}
REMIXER_DEVICE int block_threads() {
  return blockDim.x;
}
REMIXER_DEVICE int block_index(int axis) {
  return axis == 0 ? blockIdx.x : axis == 1 ? blockIdx.y : blockIdx.z;
}
REMIXER_DEVICE void sync_block() {
  __syncthreads();
}
REMIXER_DEVICE void sync_warp() {
  __syncwarp();
}
REMIXER_DEVICE float shuffle_xor(float value, int lanes) {
  return __shfl_xor_sync(0xffffffffu, value, lanes);
}
REMIXER_DEVICE uint32_t ballot(bool value) {
  return __ballot_sync(0xffffffffu, value);
}
REMIXER_DEVICE void atomic_add(float* to, float value) {
  atomicAdd(to, value);
}

REMIXER_DEVICE void copy_async(uint32_t shared, const void* global, bool valid) {
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(bytes)
               : "memory");
}
REMIXER_DEVICE void copy_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int kPending>
REMIXER_DEVICE void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

REMIXER_DEVICE void load_matrices(uint32_t to[4], uint32_t shared) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(shared))
               : "memory");
}
REMIXER_DEVICE void load_matrices_transposed(uint32_t to[4], uint32_t shared) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(shared))
               : "memory");
}

template <class T>
REMIXER_DEVICE void multiply_add(float c[4], const uint32_t a[4], const uint32_t b[2]);
template <>
REMIXER_DEVICE void multiply_add<BFloat16>(float c[4], const uint32_t a[4], const uint32_t b[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
template <>
REMIXER_DEVICE void multiply_add<Half>(float c[4], const uint32_t a[4], const uint32_t b[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

template <class T>
REMIXER_DEVICE uint32_t pack(float low, float high);
template <>
REMIXER_DEVICE uint32_t pack<BFloat16>(float low, float high) {
  uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
template <>
REMIXER_DEVICE uint32_t pack<Half>(float low, float high) {
  uint32_t bits;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
template <class T>
REMIXER_DEVICE float unpack(uint16_t bits);
template <>
REMIXER_DEVICE float unpack<BFloat16>(uint16_t bits) {
  return __uint_as_float(static_cast<uint32_t>(bits) << 16);
}
template <>
REMIXER_DEVICE float unpack<Half>(uint16_t bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}

REMIXER_DEVICE float exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
REMIXER_DEVICE float log2(float x) {
  return __log2f(x);
}
REMIXER_DEVICE float square_root(float x) {
  return __fsqrt_rn(x);
}
REMIXER_DEVICE float exp2_minus_1(float x) {
  return expm1f(x * 0.6931471805599453f);
}

template <class T>
REMIXER_DEVICE T shared_load(uint32_t from) {
  return *reinterpret_cast<const T*>(shared_memory + from);
}
template <class T>
REMIXER_DEVICE void shared_store(uint32_t to, T value) {
  *reinterpret_cast<T*>(shared_memory + to) = value;
}
template <class T>
REMIXER_DEVICE T global_load(const T* from, bool valid, T otherwise) {
  if (valid) otherwise = *from;
  return otherwise;
}
template <class T>
REMIXER_DEVICE void global_store(T* to, T value, bool valid) {
  if (valid) *to = value;
}

}  // namespace remixer::device
