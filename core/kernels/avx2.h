// SPDX-License-Identifier: Apache-2.0
// Macros for loops compiled twice: for AVX2 with FMA and for any machine. The choice is made at run
// time, so one build runs on every processor.
#pragma once

// The body is inlined into one function compiled for AVX2 and one for any machine.
#define REMIXER_BODY [[gnu::always_inline]] inline

namespace remixer::kernels {

#if defined(__x86_64__)
#define REMIXER_AVX2 [[gnu::target("avx2,fma")]]
inline bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has;
}
#else
#define REMIXER_AVX2
inline bool has_avx2() {
  return false;
}
#endif

}  // namespace remixer::kernels
