// SPDX-License-Identifier: Apache-2.0
// Describes a kernel launch as plain data: the code that fills it in knows neither CUDA nor the
// emulator, and the code that runs it (the CUDA library, or a test's emulator) knows no tensors.
#pragma once

#include <cstring>

#include "core/kernels/device/attention.h"
#include "core/kernels/device/distance.h"
#include "core/kernels/device/mixing.h"

namespace remixer::device {

enum class Kernel {
  kAttentionForward,
  kAttentionDelta,
  kAttentionBackwardQ,
  kAttentionBackwardKv,
  kMixingProduct,
  kMixingGradient,
  kDistanceOfNumbers,
  kDistanceOfRows,
};
enum class Element { kBFloat16, kHalf };

// Arguments have the same layout for all types, and are stored under one of them.
using AnyAttention = AttentionArguments<BFloat16, float>;
using AnyMixing = MixingArguments<BFloat16, float>;
using AnyDistance = DistanceArguments<float>;

struct KernelCall {
  Kernel kernel = Kernel::kAttentionForward;
  Element element = Element::kBFloat16;
  bool float_distance = true;  // else distances have the element's type
  int width = 64;              // attention: the tile's, 64 or 128
  int grid[3] = {1, 1, 1};
  int threads = 32;
  int64_t shared_bytes = 0;
  AnyAttention attention{};
  AnyMixing mixing{};
  AnyDistance distance{};
};

// Runs a call on a stream of the current device; returns null or an error message.
using LaunchKernel = const char* (*)(const KernelCall& call, void* stream);

// Increased when KernelCall or its meaning changes: CUDA library and caller must agree.
constexpr int kCallVersion = 2;

// The kernels as types: function, arguments and maximum number of threads.
template <class T, class Distance, int W>
struct AttentionForward {
  using Arguments = AttentionArguments<T, Distance>;
  static constexpr int kMaxThreads = 256;
  static REMIXER_DEVICE void run(const Arguments& p) { attention_forward<T, Distance, W>(p); }
};
template <class T, class Distance, int W>
struct AttentionDelta {
  using Arguments = AttentionArguments<T, Distance>;
  static constexpr int kMaxThreads = 256;
  static REMIXER_DEVICE void run(const Arguments& p) { attention_delta<T, Distance, W>(p); }
};
template <class T, class Distance, int W>
struct AttentionBackwardQ {
  using Arguments = AttentionArguments<T, Distance>;
  static constexpr int kMaxThreads = 256;
  static REMIXER_DEVICE void run(const Arguments& p) { attention_backward_q<T, Distance, W>(p); }
};
template <class T, class Distance, int W>
struct AttentionBackwardKv {
  using Arguments = AttentionArguments<T, Distance>;
  static constexpr int kMaxThreads = 256;
  static REMIXER_DEVICE void run(const Arguments& p) { attention_backward_kv<T, Distance, W>(p); }
};
template <class T, class Distance>
struct MixingProduct {
  using Arguments = MixingArguments<T, Distance>;
  static constexpr int kMaxThreads = 32 * kMixingWarps;
  static REMIXER_DEVICE void run(const Arguments& p) { mixing_product<T, Distance>(p); }
};
template <class T, class Distance>
struct MixingGradient {
  using Arguments = MixingArguments<T, Distance>;
  static constexpr int kMaxThreads = 32 * kMixingWarps;
  static REMIXER_DEVICE void run(const Arguments& p) { mixing_gradient<T, Distance>(p); }
};
template <class Distance>
struct DistanceOfNumbers {
  using Arguments = DistanceArguments<Distance>;
  static constexpr int kMaxThreads = kDistanceThreads;
  static REMIXER_DEVICE void run(const Arguments& p) { distance_of_numbers<Distance>(p); }
};
template <class Distance>
struct DistanceOfRows {
  using Arguments = DistanceArguments<Distance>;
  static constexpr int kMaxThreads = kDistanceThreads;
  static REMIXER_DEVICE void run(const Arguments& p) { distance_of_rows<Distance>(p); }
};

// Calls body.template operator()<K>(arguments) for the kernel type that `call` names.
template <class T, class Distance, class Body>
auto visit_typed(const KernelCall& call, Body&& body) {
  AttentionArguments<T, Distance> attention;
  MixingArguments<T, Distance> mixing;
  DistanceArguments<Distance> distance;
  static_assert(sizeof(attention) == sizeof(call.attention) &&
                sizeof(mixing) == sizeof(call.mixing) && sizeof(distance) == sizeof(call.distance));
  std::memcpy(&attention, &call.attention, sizeof(attention));
  std::memcpy(&mixing, &call.mixing, sizeof(mixing));
  std::memcpy(&distance, &call.distance, sizeof(distance));
  const bool wide = call.width > 64;
  switch (call.kernel) {
    case Kernel::kAttentionForward:
      return wide ? body(AttentionForward<T, Distance, 128>(), attention)
                  : body(AttentionForward<T, Distance, 64>(), attention);
    case Kernel::kAttentionDelta:
      return wide ? body(AttentionDelta<T, Distance, 128>(), attention)
                  : body(AttentionDelta<T, Distance, 64>(), attention);
    case Kernel::kAttentionBackwardQ:
      return wide ? body(AttentionBackwardQ<T, Distance, 128>(), attention)
                  : body(AttentionBackwardQ<T, Distance, 64>(), attention);
    case Kernel::kAttentionBackwardKv:
      return wide ? body(AttentionBackwardKv<T, Distance, 128>(), attention)
                  : body(AttentionBackwardKv<T, Distance, 64>(), attention);
    case Kernel::kMixingProduct:
      return body(MixingProduct<T, Distance>(), mixing);
    case Kernel::kDistanceOfNumbers:
      return body(DistanceOfNumbers<Distance>(), distance);
    case Kernel::kDistanceOfRows:
      return body(DistanceOfRows<Distance>(), distance);
    default:
      return body(MixingGradient<T, Distance>(), mixing);
  }
}
template <class Body>
auto visit(const KernelCall& call, Body&& body) {
  if (call.element == Element::kBFloat16) {
    return call.float_distance ? visit_typed<BFloat16, float>(call, body)
                               : visit_typed<BFloat16, BFloat16>(call, body);
  }
  return call.float_distance ? visit_typed<Half, float>(call, body)
                             : visit_typed<Half, Half>(call, body);
}

}  // namespace remixer::device
