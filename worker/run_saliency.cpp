#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/hash.h"
#include "core/augment/augmentation.h"
#include "core/explain/saliency.h"
#include "core/io/safetensors.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "worker/cell_inputs.h"

namespace remixer::worker {
namespace {

using experiments::TaskKind;

// The cell's trained model, the last epoch's raw weights, on the rank's device. Its classes are
// those that it was trained on, whatever set it is shown.
std::unique_ptr<models::Model> load_model(const TaskContext& context,
                                          const data::Dataset& dataset) {
  const auto& trained = context.input(TaskKind::kTrain);
  const io::Safetensors weights =
      io::read_safetensors(context.workspace / trained.at("model").get<std::string>());
  const experiments::Cell& cell = *context.assignment.cell;
  models::ModelSpec spec = training::model_spec(cell, dataset);
  spec.num_classes = models::spec_of_weights(weights, spec.architecture).num_classes;
  auto model = models::create_model_to_load(spec);
  models::load_weights(*model, weights);
  models::move_to(*model, context.communicator->device());
  return model;
}

}  // namespace

// Rank 0 alone: a few images.
TaskOutcome run_saliency(const TaskContext& context) {
  const auto& spec = context.assignment.task.spec;
  const experiments::Cell& cell = *context.assignment.cell;
  const std::string set = spec.at("eval_set");
  const std::string split = spec.value("split", set);
  const double start = system_clock().monotonic();
  const CellInputs inputs = open_cell_inputs(context, split);
  const data::Dataset dataset =
      spec.contains("dataset") ? training::open_split(spec.at("dataset"), inputs.dataset, split)
                               : training::open_split(cell, inputs.dataset, split);
  const auto model = load_model(context, dataset);
  explain::SaliencyJob job{
      .dataset = dataset,
      .labels = inputs.labels.get(),
      .distance = cell.distance,
      .evaluation_crop =
          data::augmentation_settings(cell.recipe, static_cast<int>(model->spec().image_size))
              .evaluation_crop};
  if (context.progress) {
    job.on_progress = [&](int64_t done, int64_t total) {
      context.progress(done, total, "drawing saliency maps", {});
    };
  }
  const auto chosen = explain::choose_images(spec.at("images"), dataset);
  SaliencyFile maps = explain::draw_saliency(*model, job, chosen);
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
