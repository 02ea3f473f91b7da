// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <optional>

#include "base/hash.h"
#include "core/loading/memory_at_hand.h"
#include "experiments/spec/task_result.h"
#include "worker/cell_inputs.h"

namespace remixer::worker {
namespace {

std::optional<double> if_finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

TaskOutcome run_train(const TaskContext& context) {
  const CellInputs inputs = open_cell_inputs(context, "train");
  training::TrainJob job;
  job.cell = *context.assignment.cell;
  job.dataset = inputs.dataset;
  job.labels = inputs.labels.get();
  job.folder = context.folder();
  job.loader_threads = context.loader_threads;
  job.cache_bytes = training::cache_bytes(training::memory_at_hand(), context.ranks_here);
  for (const auto& folder : context.assignment.previous)
    job.resume_from.push_back(context.workspace / folder);
  job.resume_from.push_back(context.folder());  // this attempt, if it stopped when its lease ended
  if (context.progress) {
    job.on_step = [&](const training::Progress& progress) {
      return context.progress(progress.step, progress.total_steps, "training", progress.metrics);
    };
  }
  const auto trained = training::train(job, *context.communicator);

  TaskOutcome outcome;
  outcome.finished = trained.finished;
  if (!outcome.finished || context.communicator->rank() != 0) return outcome;
  const auto model = context.folder() / "model.safetensors";
  const std::string prefix = context.assignment.folder + "/";
  experiments::TrainResult result;
  result.model = prefix + "model.safetensors";
  result.model_sha256 = sha256_file(model);
  if (std::filesystem::exists(context.folder() / "ema.safetensors")) {
    result.ema = prefix + "ema.safetensors";
    result.ema_sha256 = sha256_file(context.folder() / "ema.safetensors");
  }
  if (trained.best) {
    result.best = prefix + "best.safetensors";
    result.best_sha256 = sha256_file(context.folder() / "best.safetensors");
    result.best_epoch = trained.best->epoch;
    result.hold_out_top1 = trained.best->top1;
  }
  for (const double kappa : trained.kappa) result.kappa.push_back(if_finite(kappa));
  result.final_loss = if_finite(trained.final_loss);
  result.steps = trained.steps;
  result.resumed_at = trained.resumed_at;
  result.seconds = trained.seconds;
  outcome.result = result_json(result);
  return outcome;
}

}  // namespace remixer::worker
