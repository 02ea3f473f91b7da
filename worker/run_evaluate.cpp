// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/predictions_file.h"
#include "core/evaluation/evaluator.h"
#include "experiments/spec/task_result.h"
#include "experiments/spec/task_spec.h"
#include "worker/cell_inputs.h"

namespace remixer::worker {

TaskOutcome run_evaluate(const TaskContext& context) {
  const auto spec = experiments::evaluate_spec(context.assignment.task.spec);
  const std::string& set = spec.set.name;
  // The set may be a split of another dataset, under a name that the grid gives.
  const std::string& split = spec.set.split;
  const CellInputs inputs = open_cell_inputs(context, split);
  const auto trained = experiments::task_result<experiments::TrainResult>(
      context.input(experiments::TaskKind::kTrain));
  const double start = system_clock().monotonic();

  evaluation::EvaluateJob job;
  job.cell = *context.assignment.cell;
  job.dataset = inputs.dataset;
  job.eval_set = split;
  job.transform = spec.transform;
  job.other_dataset = spec.set.other_dataset;
  if (job.other_dataset) {
    job.trained_on = context.workspace / "datasets" / short_id(job.cell.dataset);
  }
  job.labels = inputs.labels.get();
  job.loader_threads = context.loader_threads;
  if (context.progress) {
    job.on_progress = [&](int64_t done, int64_t total) {
      context.progress(done, total, "evaluating", {});
    };
  }

  TaskOutcome outcome;
  outcome.finished = true;
  PredictionsFile predictions;
  predictions.cell = job.cell.id();
  predictions.eval_set = split;
  predictions.dataset_sha256 = data::Dataset::open(inputs.dataset, split).content_hash();
  for (const char* kind : {"raw", "ema", "best"}) {
    const auto weights = trained.weights(kind);
    if (!weights) continue;
    job.weights = context.workspace / *weights;
    auto answer = evaluation::evaluate(job, *context.communicator);
    for (const auto& figure : answer.figures) {
      outcome.figures.push_back({kind, set, figure.metric, figure.value, figure.n});
    }
    predictions.by_weights[kind] = std::move(answer.predictions);
    predictions.truth = std::move(answer.truth);
    if (context.communicator->rank() == 0) {
      spdlog::info("{} ({} weights): top-1 {:.2f} % of {} images", set, kind, answer.top1,
                   answer.n);
    }
  }
  if (context.communicator->rank() != 0) return outcome;
  const auto file = context.folder() / "predictions.safetensors";
  write_predictions(file, predictions);
  outcome.result = result_json(experiments::EvaluateResult{
      .predictions = context.assignment.folder + "/predictions.safetensors",
      .predictions_sha256 = sha256_file(file),
      .seconds = system_clock().monotonic() - start});
  return outcome;
}

}  // namespace remixer::worker
