// SPDX-License-Identifier: Apache-2.0
// One training run in progress: the implementation of train().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/loading/device_queue.h"
#include "core/loading/loader.h"
#include "core/loading/sample_store.h"
#include "core/models/model.h"
#include "core/training/checkpoint.h"
#include "core/training/data_parallel.h"
#include "core/training/ema.h"
#include "core/training/hold_out.h"
#include "core/training/machine_meter.h"
#include "core/training/metrics.h"
#include "core/training/objective.h"
#include "core/training/optimizer.h"
#include "core/training/plan.h"
#include "core/training/precision.h"
#include "core/training/schedule.h"
#include "core/training/step_graph.h"
#include "core/training/trainer.h"

namespace remixer::training {

// Every rank creates one and calls train() once, in step. One thread per rank. Job and communicator
// must outlive it.
class Run {
 public:
  // Opens data and model, and resumes from the newest whole checkpoint, if there is one.
  Run(const TrainJob& job, Communicator& communicator);
  TrainOutcome train();

 private:
  struct Decision {
    bool checkpoint = false, stop = false;
  };

  void resume();
  // The implementation of each operator: as stored, or measured now. Collective.
  void choose_kernels();
  // Whether steps are recorded and repeated, if that is asked for.
  void choose_graphs();
  void announce() const;
  std::vector<Draw> draws(int64_t step, int64_t shard) const;
  // Adds the gradients of a shard, this rank's last of the step or not; returns its loss.
  at::Tensor run_shard(Batch batch, int64_t shard, bool last);
  // One optimiser step; returns its loss, the mean over all shards.
  double take_step(DeviceQueue& batches);
  // Applies the gradients, or skips the step if fp16 overflowed.
  void update_weights();
  double mean_over_shards(at::Tensor losses);
  // Throws Error if the loss, or the weights behind it, are not finite or have exploded.
  void check_loss(double loss) const;
  void check_weights() const;
  [[noreturn]] void stop_spoilt(const std::string& what) const;
  void count_loss(double loss);
  // After an epoch's last step: measures the held-out images and keeps the best epoch's weights.
  void measure_held_out();
  // Reports the step on rank 0; returns what all ranks do next.
  Decision decide(double loss, double rate);
  std::vector<Metric> collect_metrics(double rate);
  // Collective: how many distinct images were unreadable so far, over all ranks.
  size_t count_unreadable() const;
  void save_checkpoint();
  void save_weights() const;
  std::vector<std::pair<int64_t, double>> kappa_by_block() const;
  std::vector<models::Model::NamedTensor> checkpoint_tensors() const;

  const TrainJob& job_;
  Communicator& communicator_;
  const experiments::Recipe& recipe_;
  const uint64_t seed_;
  data::Dataset dataset_;
  const at::ScalarType type_;  // of products
  std::unique_ptr<models::Model> model_;
  Division division_;
  SampleStore store_;
  TrainingPlan plan_;
  Schedule schedule_;
  Objective objective_;
  AdamW optimizer_;
  std::optional<LossScaler> scaler_;
  std::optional<MovingAverage> average_;
  std::optional<WeightsCopy> best_;  // with held-out images
  std::optional<DataParallel> parallel_;
  std::optional<StepGraphs> graphs_;  // if they are used

  RunState state_;
  int64_t resumed_at_ = 0;
  std::string last_checkpoint_ = "none";  // path, for messages
  // Of this attempt only; seconds of the monotonic clock.
  double started_, checkpointed_, checkpoint_cost_ = 0;
  Metrics metrics_;
  std::optional<MachineMeter> machine_;  // on rank 0, which reports
};

}  // namespace remixer::training
