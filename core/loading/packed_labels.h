// SPDX-License-Identifier: Apache-2.0
// Patch labels on their way to a device: of a thousand classes a patch names a few, and all others
// share one probability.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace remixer::training {

// Labels [B, N, K]: at place index[e] of the whole values[e], elsewhere its patch's others.
struct PackedLabels {
  int64_t batch = 0, patches = 0, channels = 0;
  at::Tensor others;  // [B · N] float
  at::Tensor index;   // [E] int32
  at::Tensor values;  // [E] float
};

// The same labels, bit for bit, from dense ones on the CPU; nothing where that would save less than
// three quarters. `pinned`: in page-locked memory.
std::optional<PackedLabels> pack_labels(const at::Tensor& labels, bool pinned = false);

// The dense form [B, N, K], made where the parts lie, without waiting for a device.
at::Tensor unpack_labels(const PackedLabels& packed);

}  // namespace remixer::training
