// SPDX-License-Identifier: Apache-2.0
// Compressed patch labels for transfer to a device: a patch names a few of a thousand classes, and
// all others share one probability.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace remixer::training {

// Labels [B, N, K]: flat position index[e] holds values[e]; all other channels hold others[patch].
struct PackedLabels {
  int64_t batch = 0, patches = 0, channels = 0;
  at::Tensor others;  // [B · N] float
  at::Tensor index;   // [E] int32
  at::Tensor values;  // [E] float
};

// Packs dense CPU labels, bit for bit; empty if that would save less than three quarters. `pinned`:
// in page-locked memory.
std::optional<PackedLabels> pack_labels(const at::Tensor& labels, bool pinned = false);

// The dense form [B, N, K], built on the parts' device without waiting for it.
at::Tensor unpack_labels(const PackedLabels& packed);

}  // namespace remixer::training
