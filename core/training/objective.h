// SPDX-License-Identifier: Apache-2.0
// Computes the loss of a shard, from images and labels.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "base/random.h"
#include "core/loading/device_queue.h"
#include "core/models/model.h"
#include "experiments/spec/cell.h"

namespace remixer::training {

// The distances that mask a ReMixer cell's patches; none for a plain cell. patch_labels [B, N, K].
std::optional<at::Tensor> mask_distance(const experiments::Cell& cell,
                                        const at::Tensor& patch_labels);

// The logits [B, num_classes] that evaluation ranks, in evaluation mode and without gradients. The
// batch must be on the model's device.
at::Tensor ranked_logits(const experiments::Cell& cell, models::Model& model, const Batch& batch);

// One cell's training loss. All random draws are keyed by (seed, step, shard), so any rank may run
// any shard. One thread at a time.
class Objective {
 public:
  // Keeps references to cell and model. `type`: of products, see product_type().
  Objective(const experiments::Cell& cell, models::Model& model, at::Device device,
            at::ScalarType type);

  // Mixes the shard, runs the model on it in training mode and returns its mean loss (float32, on
  // the model's device). Shard 0 updates the running statistics.
  at::Tensor operator()(Batch batch, int64_t step, int64_t shard) const;

  // The same in two parts: all that a shard's numbers decide on the host, and the work of the same
  // kind for every shard.
  struct Inputs {
    at::Tensor images, targets;  // [B, 3, S, S], [B, num_classes]
    at::Tensor token_targets;    // [B, N, K], if the model has a token head
    at::Tensor distance;         // [B, N, N], for a ReMixer cell
  };
  Inputs inputs(Batch batch, int64_t step, int64_t shard) const;
  at::Tensor loss(const Inputs& inputs, const models::ForwardMode& mode) const;
  at::Tensor loss(const Inputs& inputs, int64_t step, int64_t shard) const;
  // The draws of stochastic depth.
  Random path_random(int64_t step, int64_t shard) const;

  // The loss of random guessing, for judging whether a loss is large or small.
  double guessing_loss() const;

 private:
  const experiments::Cell& cell_;
  models::Model& model_;
  at::Device device_;
  at::ScalarType type_;
};

}  // namespace remixer::training
