// SPDX-License-Identifier: Apache-2.0
// Options of one forward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "base/random.h"

namespace remixer::layers {

// What one pass leaves for an explanation of its answer (core/explain). Tensors are nodes of the
// pass's graph: gradients reach them. Attention is made in full, not by a fused form.
struct ForwardTrace {
  // By block, as it mixed the values (after mask and renormalisation): [B, H, T, T], or
  // [B, H, 1, T] where [CLS] alone was asked.
  std::vector<at::Tensor> attention;
  at::Tensor tokens;  // of a model without attention: patches after the last block, [B, N, C]
};

struct ForwardMode {
  bool training = false;              // batch statistics and stochastic depth
  bool update_running_stats = false;  // only with training: batch norm's running averages move
  Random* random = nullptr;  // stochastic depth's draws; required when training with drop_path
  ForwardTrace* trace = nullptr;
};

}  // namespace remixer::layers
