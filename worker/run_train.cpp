// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>

#include "base/hash.h"
#include "worker/cell_inputs.h"

namespace remixer::worker {

TaskOutcome run_train(const TaskContext& context) {
  const CellInputs inputs = open_cell_inputs(context, "train");
  training::TrainJob job;
  job.cell = *context.assignment.cell;
  job.dataset = inputs.dataset;
  job.labels = inputs.labels.get();
  job.folder = context.folder();
  job.loader_threads = context.loader_threads;
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
  outcome.result = {{"model", prefix + "model.safetensors"},
                    {"model_sha256", sha256_file(model)},
                    {"ema", nullptr},
                    {"kappa", trained.kappa},
                    {"final_loss", trained.final_loss},
                    {"steps", trained.steps},
                    {"resumed_at", trained.resumed_at},
                    {"seconds", trained.seconds}};
  if (std::filesystem::exists(context.folder() / "ema.safetensors")) {
    outcome.result["ema"] = prefix + "ema.safetensors";
    outcome.result["ema_sha256"] = sha256_file(context.folder() / "ema.safetensors");
  }
  if (trained.best) {
    outcome.result["best"] = prefix + "best.safetensors";
    outcome.result["best_sha256"] = sha256_file(context.folder() / "best.safetensors");
    outcome.result["best_epoch"] = trained.best->epoch;
    outcome.result["hold_out_top1"] = trained.best->top1;
  }
  return outcome;
}

}  // namespace remixer::worker
