// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/hash.h"
#include "core/evaluation/evaluator.h"
#include "core/explain/saliency.h"
#include "core/io/safetensors.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "experiments/spec/task_result.h"
#include "experiments/spec/task_spec.h"
#include "worker/cell_inputs.h"

namespace remixer::worker {
namespace {

// The cell's trained model with the last epoch's raw weights, on the rank's device, and its
// evaluation settings. Its classes are those of its training set, whatever set it is shown.
struct Trained {
  Trained(const TaskContext& context, const std::filesystem::path& trained_on) {
    const auto trained = experiments::task_result<experiments::TrainResult>(
        context.input(experiments::TaskKind::kTrain));
    const io::Safetensors weights = io::read_safetensors(context.workspace / trained.model);
    evaluated = evaluation::evaluated_cell(*context.assignment.cell, weights, trained_on);
    model = models::create_model_to_load(evaluated.model);
    models::load_weights(*model, weights);
    models::move_to(*model, context.communicator->device());
  }

  evaluation::Evaluated evaluated;
  std::unique_ptr<models::Model> model;
};

}  // namespace

// Runs on rank 0 only: a few images.
TaskOutcome run_saliency(const TaskContext& context) {
  const auto spec = experiments::saliency_spec(context.assignment.task.spec);
  const experiments::Cell& cell = *context.assignment.cell;
  const auto& [set, split, other] = spec.set;
  const double start = system_clock().monotonic();
  const CellInputs inputs = open_cell_inputs_alone(context, split);
  const data::Dataset dataset = other ? training::open_split(*other, inputs.dataset, split)
                                      : training::open_split(cell, inputs.dataset, split);
  const Trained trained(
      context, other ? context.workspace / "datasets" / short_id(cell.dataset) : inputs.dataset);
  explain::SaliencyJob job{
      .dataset = dataset, .settings = trained.evaluated.settings, .labels = inputs.labels.get()};
  if (context.progress) {
    job.on_progress = [&](int64_t done, int64_t total) {
      context.progress(done, total, "drawing saliency maps", {});
    };
  }
  const auto chosen = explain::choose_images(spec.images, dataset);
  SaliencyFile maps = explain::draw_saliency(*trained.model, job, chosen);
  maps.cell = cell.id();
  maps.eval_set = set;
  const auto file = context.folder() / "saliency.safetensors";
  write_saliency(file, maps);
  spdlog::info("{}: saliency maps of {} images", set, maps.size());

  TaskOutcome outcome;
  outcome.finished = true;
  outcome.result = result_json(
      experiments::SaliencyResult{.saliency = context.assignment.folder + "/saliency.safetensors",
                                  .saliency_sha256 = sha256_file(file),
                                  .images = static_cast<int64_t>(maps.size()),
                                  .seconds = system_clock().monotonic() - start});
  return outcome;
}

}  // namespace remixer::worker
