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

// Stochastic depth's draws in a place of the device's memory that stays the same from pass to pass,
// for passes that are recorded once and repeated. One thread at a time.
class FixedPaths {
 public:
  // Learns which branches draw: until fix(), next() draws from `random` and counts.
  explicit FixedPaths(Random& random) : random_(&random) {}
  // From now on next() hands out places on `device`, branch by branch, from the first one.
  void fix(at::Device device);
  // Draws for all branches in their order and sends it all, without waiting for the device.
  void draw(Random& random);
  // The factors of the next branch, [samples] float on the device of `like`.
  at::Tensor next(double rate, const at::Tensor& like);

 private:
  struct Branch {
    double rate;
    int64_t samples;
  };
  std::vector<Branch> branches_;
  Random* random_;      // null once fixed
  at::Tensor factors_;  // of all branches, one after the other
  size_t next_ = 0;
  int64_t offset_ = 0;
};

struct ForwardMode {
  bool training = false;              // batch statistics and stochastic depth
  bool update_running_stats = false;  // only with training: update batch norm's running averages
  Random* random = nullptr;     // stochastic depth's draws; required when training with drop_path
  FixedPaths* paths = nullptr;  // replaces `random`
  ForwardTrace* trace = nullptr;
};

}  // namespace remixer::layers
