// SPDX-License-Identifier: Apache-2.0
// Compressed patch labels for transfer to a device: a patch names a few of a thousand classes, and
// all others share one probability.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/augment/patch_labels.h"

namespace remixer::training {

// Labels [B, N, K]: flat position index[e] holds values[e]; all other channels hold others[patch].
struct PackedLabels {
  int64_t batch = 0, patches = 0, channels = 0;
  at::Tensor others;  // [B · N] float
  at::Tensor index;   // [E] int32
  at::Tensor values;  // [E] float
};

// Whether labels [batch, patches, channels] should travel packed. A flat position must fit int32.
// From how many channels on it saves memory is a rule of thumb: a patch has an index and a value
// for each class that its cells name, 5 to 30 of them for ReLabel's maps; at worst, if it names
// them all, twice the dense form.
constexpr int64_t kFewestPackedChannels = 64;
bool worth_packing(int64_t batch, int64_t patches, int64_t channels);

// `labels` holds batch · patches patches. `pinned`: in page-locked memory.
PackedLabels pack_labels(const data::SparsePatchLabels& labels, int64_t batch, int64_t patches,
                         int64_t channels, bool pinned = false);

// The dense form [B, N, K], built on the parts' device without waiting for it.
at::Tensor unpack_labels(const PackedLabels& packed);

}  // namespace remixer::training
