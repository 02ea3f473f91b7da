// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/hash.h"
#include "core/evaluation/evaluator.h"
#include "core/explain/saliency.h"
#include "core/io/safetensors.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "worker/cell_inputs.h"

namespace remixer::worker {
namespace {

using experiments::TaskKind;

// The cell's trained model, the last epoch's raw weights, on the rank's device, and how it is
// evaluated. Its classes are those that it was trained on, whatever set it is shown.
struct Trained {
  Trained(const TaskContext& context, const std::filesystem::path& trained_on) {
    const auto& trained = context.input(TaskKind::kTrain);
    const io::Safetensors weights =
        io::read_safetensors(context.workspace / trained.at("model").get<std::string>());
    evaluated = evaluation::evaluated_cell(*context.assignment.cell, weights, trained_on);
    model = models::create_model_to_load(evaluated.model);
    models::load_weights(*model, weights);
    models::move_to(*model, context.communicator->device());
  }

  evaluation::Evaluated evaluated;
  std::unique_ptr<models::Model> model;
};

}  // namespace

// Rank 0 alone: a few images.
TaskOutcome run_saliency(const TaskContext& context) {
  const auto& spec = context.assignment.task.spec;
  const experiments::Cell& cell = *context.assignment.cell;
  const std::string set = spec.at("eval_set");
  const std::string split = spec.value("split", set);
  const double start = system_clock().monotonic();
  const CellInputs inputs = open_cell_inputs_alone(context, split);
  const data::Dataset dataset =
      spec.contains("dataset") ? training::open_split(spec.at("dataset"), inputs.dataset, split)
                               : training::open_split(cell, inputs.dataset, split);
  const Trained trained(context, spec.contains("dataset")
                                     ? context.workspace / "datasets" / short_id(cell.dataset)
                                     : inputs.dataset);
  explain::SaliencyJob job{
      .dataset = dataset, .settings = trained.evaluated.settings, .labels = inputs.labels.get()};
  if (context.progress) {
    job.on_progress = [&](int64_t done, int64_t total) {
      context.progress(done, total, "drawing saliency maps", {});
    };
  }
  const auto chosen = explain::choose_images(spec.at("images"), dataset);
  SaliencyFile maps = explain::draw_saliency(*trained.model, job, chosen);
  maps.cell = cell.id();
  maps.eval_set = set;
  const auto file = context.folder() / "saliency.safetensors";
  write_saliency(file, maps);
  spdlog::info("{}: saliency maps of {} images", set, maps.size());

  TaskOutcome outcome;
  outcome.finished = true;
  outcome.result = {{"saliency", context.assignment.folder + "/saliency.safetensors"},
                    {"saliency_sha256", sha256_file(file)},
                    {"images", maps.size()},
                    {"seconds", system_clock().monotonic() - start}};
  return outcome;
}

}  // namespace remixer::worker
