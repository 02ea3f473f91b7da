// SPDX-License-Identifier: Apache-2.0
// Options of one forward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "base/random.h"

namespace remixer::layers {

// What a pass records for explaining its answer (core/explain). Tensors are nodes of the pass's
// graph, so gradients reach them. The full attention matrix is computed, not a fused form.
struct ForwardTrace {
  // By block, as applied to the values (after mask and renormalisation): [B, H, T, T], or
  // [B, H, 1, T] if only [CLS] was computed.
  std::vector<at::Tensor> attention;
  at::Tensor tokens;  // for a model without attention: patches after the last block, [B, N, C]
};

struct ForwardMode {
  bool training = false;              // batch statistics and stochastic depth
  bool update_running_stats = false;  // only with training: update batch norm's running averages
  Random* random = nullptr;  // stochastic depth's draws; required when training with drop_path
  ForwardTrace* trace = nullptr;
};

}  // namespace remixer::layers
