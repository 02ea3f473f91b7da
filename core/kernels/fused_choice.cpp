// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/fused_choice.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>

namespace remixer::kernels {
namespace {

std::array<std::atomic<bool>, kFusedOperators> g_forbidden{};

}  // namespace

const char* name_of(Fused op) {
  constexpr const char* kNames[] = {"masked_attention", "masked_linear", "masked_conv2d",
                                    "label_distance"};
  return kNames[static_cast<int>(op)];
}

bool fused_allowed(Fused op) {
  return !g_forbidden[static_cast<size_t>(op)];
}

void allow_fused(Fused op, bool allowed) {
  g_forbidden[static_cast<size_t>(op)] = !allowed;
}

FusedCalls::FusedCalls() {
  assert(current() == nullptr);
  current() = this;
}

FusedCalls::~FusedCalls() {
  current() = nullptr;
}

FusedCalls*& FusedCalls::current() {
  thread_local FusedCalls* calls = nullptr;
  return calls;
}

bool FusedCalls::has(Fused op) const {
  return std::any_of(calls_.begin(), calls_.end(), [&](const auto& call) { return call.op == op; });
}

}  // namespace remixer::kernels
