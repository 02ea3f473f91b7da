// SPDX-License-Identifier: Apache-2.0
// Loops compiled once for each width of this processor family's registers. The choice is made at
// run time, so one build runs on every processor.
#pragma once

#include <type_traits>

// The body of such a loop: inlined into the function compiled for a level.
#define REMIXER_BODY [[gnu::always_inline]] inline
// The same for a lambda.
#define REMIXER_INLINED __attribute__((always_inline))

#if defined(__x86_64__)
#define REMIXER_AVX2 [[gnu::target("avx2,fma")]]
#define REMIXER_AVX512 \
  [[gnu::target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,prefer-vector-width=512")]]
#else
#define REMIXER_AVX2
#define REMIXER_AVX512
#endif

namespace remixer::kernels {

enum class VectorLevel { kPlain, kAvx2, kAvx512 };

// The best level that this processor has.
inline VectorLevel vector_level() {
#if defined(__x86_64__)
  static const VectorLevel level = [] {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
      return VectorLevel::kPlain;
    }
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return wide ? VectorLevel::kAvx512 : VectorLevel::kAvx2;
  }();
  return level;
#else
  return VectorLevel::kPlain;
#endif
}

// "plain", "avx2" or "avx512".
constexpr const char* name_of(VectorLevel level) {
  return level == VectorLevel::kAvx512 ? "avx512" : level == VectorLevel::kAvx2 ? "avx2" : "plain";
}

template <VectorLevel kLevel>
using AtLevel = std::integral_constant<VectorLevel, kLevel>;

template <typename F>
REMIXER_AVX512 void run_avx512(const F& f) {
  f(AtLevel<VectorLevel::kAvx512>());
}
template <typename F>
REMIXER_AVX2 void run_avx2(const F& f) {
  f(AtLevel<VectorLevel::kAvx2>());
}

// Calls f(AtLevel<level>()), compiled for that level: f is an inlined lambda, and so is all it
// calls. The processor must have the level.
template <typename F>
void run_at(VectorLevel level, const F& f) {
  if (level == VectorLevel::kAvx512) {
    run_avx512(f);
  } else if (level == VectorLevel::kAvx2) {
    run_avx2(f);
  } else {
    f(AtLevel<VectorLevel::kPlain>());
  }
}

}  // namespace remixer::kernels
