// SPDX-License-Identifier: Apache-2.0
// A shard's forward and backward pass, recorded once and repeated for each shard: the host queues a
// few calls where it otherwise queues each of some thousand operations.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>

#include "base/json.h"
#include "core/training/data_parallel.h"
#include "core/training/objective.h"

namespace remixer::training {

// One thread at a time; objective, parallel and model must outlive it.
class StepGraph {
 public:
  // Records the passes for shards whose inputs have the shapes of `like`. `paths`, fixed, are those
  // that the model learned in an ordinary pass. Throws what the device's library throws.
  StepGraph(std::unique_ptr<DeviceGraph> graph, const Objective& objective, DataParallel& parallel,
            const Objective::Inputs& like, layers::FixedPaths paths, bool update_running_stats);

  // Adds the shard's gradients and returns its loss, whose memory the next call overwrites. Does
  // not wait for the device.
  at::Tensor operator()(const Objective::Inputs& inputs, Random paths);

  // Whether the inputs have the recorded shapes.
  bool takes(const Objective::Inputs& inputs) const;

 private:
  std::unique_ptr<DeviceGraph> graph_;
  Objective::Inputs inputs_;
  layers::FixedPaths paths_;
  at::Tensor loss_;
};

// REMIXER_STEP_GRAPHS in the environment: "1" uses recordings if they are faster, "always" if they
// are right. Throws InputError on anything else but "0" and "".
enum class GraphWish { kNever, kIfFaster, kAlways };
GraphWish graph_wish();

// The recordings of a run: of shard 0, which updates the running statistics, and of all others.
class StepGraphs {
 public:
  StepGraphs(const Objective& objective, DataParallel& parallel, const models::Model& model,
             Communicator& communicator)
      : objective_(objective), parallel_(parallel), model_(model), communicator_(communicator) {}

  // Records the passes of these inputs, runs them and the ordinary ones on others, and uses the
  // recordings from then on if loss, gradients and running statistics have the same bits and,
  // unless `wish` is kAlways, it is faster. Gradients are zero afterwards and running statistics as
  // before. Returns the outcome: {"used", "right", "ms" and "plain_ms" (of a shard of each kind),
  // "trouble"}; null if there is nothing to try: the device has no recordings, or there are several
  // ranks, which sum gradients while backward runs.
  Json settle(const Objective::Inputs& inputs, GraphWish wish);

  // The loss of a shard whose gradients it added; nothing if no recording serves.
  std::optional<at::Tensor> operator()(const Objective::Inputs& inputs, int64_t step,
                                       int64_t shard);

  bool used() const { return used_; }

 private:
  struct Trial;
  std::unique_ptr<StepGraph> try_one(std::unique_ptr<DeviceGraph> device_graph,
                                     const Objective::Inputs& inputs, bool update_running_stats,
                                     Json& outcome);

  const Objective& objective_;
  DataParallel& parallel_;
  const models::Model& model_;
  Communicator& communicator_;
  bool used_ = false;
  std::unique_ptr<StepGraph> first_, other_;  // other_ is null if it would be the same
};

}  // namespace remixer::training
