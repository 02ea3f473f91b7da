// SPDX-License-Identifier: Apache-2.0
#include "core/evaluation/evaluator.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "core/evaluation/truth.h"
#include "core/io/safetensors.h"
#include "core/kernels/operators.h"
#include "core/loading/loader.h"
#include "core/loading/sample_store.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "core/training/objective.h"
#include "core/training/precision.h"
#include "core/training/token_labeling.h"

namespace remixer::evaluation {
namespace {

data::Dataset open_set(const EvaluateJob& job) {
  if (!job.other_dataset) return training::open_split(job.cell, job.dataset, job.eval_set);
  return training::open_split(*job.other_dataset, job.dataset, job.eval_set);
}

class Evaluator {
 public:
  Evaluator(const ModelOnSet& job, training::Communicator& communicator)
      : job_(job),
        communicator_(communicator),
        spec_(job.evaluated.model),
        truth_(truth_of(job.evaluated.settings.classes, job.dataset)),
        model_(models::create_model_to_load(spec_)),
        store_(job.dataset, job.labels, model_->grid(), /*memory_limit=*/0,
               evaluation_reading(job.evaluated.settings, job.transform)),
        batches_((store_.size() + job.batch_size - 1) / job.batch_size),
        predictions_(spec_.num_classes, store_.size()) {
    training::set_arithmetic("fp32", communicator.device());
    if (store_.size() == 0) {
      fail_input("{}: split {} is empty", job.dataset.folder().string(), job.dataset.split());
    }
    if (spec_.remixer && job.labels == nullptr) {
      fail_input("{}: a ReMixer model needs patch labels of {}", job.weights.string(),
                 job.dataset.split());
    }
    models::load_weights(*model_, job.weights);
    models::move_to(*model_, communicator.device());
  }

  // Batches are the same for any number of ranks: rank r takes every size-th batch, so an image
  // always has the same neighbours.
  Evaluation run() {
    const int64_t size = communicator_.size(), rank = communicator_.rank();
    const int64_t mine = batches_ > rank ? (batches_ - rank - 1) / size + 1 : 0;
    training::Loader loader(
        store_, [&](int64_t i) { return draws(rank + i * size); }, 0, mine,
        std::max(1, job_.loader_threads));
    for (int64_t i = 0; i < mine; ++i) {
      answer(loader.next(), (rank + i * size) * job_.batch_size);
      // Ranks progress equally, so rank 0's share gives the total.
      const int64_t done = std::min(store_.size(), (i + 1) * size * job_.batch_size);
      if (rank == 0 && job_.on_progress) job_.on_progress(done, store_.size());
    }
    collect(predictions_.classes, predictions_.kept);
    collect(predictions_.logits, predictions_.kept);
    collect(predictions_.normalizer, 1);
    Evaluation evaluation;
    evaluation.figures = remixer::figures(predictions_, truth_);
    evaluation.top1 = evaluation.figures[0].value;
    evaluation.top5 = evaluation.figures[1].value;
    evaluation.n = evaluation.figures[0].n;
    evaluation.predictions = std::move(predictions_);
    evaluation.truth = std::move(truth_);
    return evaluation;
  }

 private:
  std::vector<training::Draw> draws(int64_t batch) const {
    std::vector<training::Draw> draws;
    const int64_t end = std::min(store_.size(), (batch + 1) * job_.batch_size);
    for (int64_t i = batch * job_.batch_size; i < end; ++i) draws.push_back({.sample = i});
    return draws;
  }

  void answer(training::Batch batch, int64_t first) {
    const at::NoGradGuard no_grad;
    batch = training::to_device(std::move(batch), communicator_.device());
    std::optional<at::Tensor> distance;
    if (spec_.remixer) {
      distance = kernels::label_distance(batch.patch_labels, job_.evaluated.settings.distance);
    }
    const at::Tensor ranked =
        job_.evaluated.settings.token_vote
            ? training::with_token_vote(model_->forward_with_tokens(batch.images, distance, {}))
            : model_->forward(batch.images, distance, {});
    const at::Tensor logits = ranked.to(at::kFloat).cpu().contiguous();
    const auto classes = static_cast<size_t>(logits.size(1));
    for (int64_t i = 0; i < logits.size(0); ++i) {
      const std::span<const float> row(logits.const_data_ptr<float>() + i * logits.size(1),
                                       classes);
      if (!std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); })) {
        fail("the logits of sample {} are not finite; the weights are spoilt: train the cell again",
             job_.dataset.samples()[static_cast<size_t>(first + i)].id);
      }
      predictions_.set(first + i, row);
    }
  }

  // Fills in the other ranks' results; `width` values per image.
  template <typename T>
  void collect(std::vector<T>& values, int64_t width) {
    const size_t bytes = values.size() * sizeof(T);
    const auto pieces =
        communicator_.all_gather(std::string(reinterpret_cast<const char*>(values.data()), bytes));
    for (int64_t batch = 0; batch < batches_; ++batch) {
      const std::string& piece = pieces[static_cast<size_t>(batch % communicator_.size())];
      assert(piece.size() == bytes);
      const int64_t begin = batch * job_.batch_size;
      const int64_t end = std::min(store_.size(), begin + job_.batch_size);
      std::memcpy(&values[static_cast<size_t>(begin * width)],
                  piece.data() + static_cast<size_t>(begin * width) * sizeof(T),
                  static_cast<size_t>((end - begin) * width) * sizeof(T));
    }
  }

  const ModelOnSet& job_;
  training::Communicator& communicator_;
  const models::ModelSpec& spec_;
  Truth truth_;
  std::unique_ptr<models::Model> model_;
  training::SampleStore store_;
  int64_t batches_;
  Predictions predictions_;
};

}  // namespace

// No image is skipped: the figures are of the whole set.
training::Reading evaluation_reading(const EvaluationSettings& settings,
                                     const std::string& transform) {
  if (transform != experiments::kWholeTransform && transform != experiments::kReleasedTransform) {
    fail_input("an evaluation's transform is '{}' or '{}', not '{}'", experiments::kWholeTransform,
               experiments::kReleasedTransform, transform);
  }
  training::Reading reading;
  reading.augmentation.side = static_cast<int>(settings.image_size);
  reading.augmentation.evaluation_crop = settings.crop;
  reading.augmentation.evaluation_resizes_all = transform == experiments::kReleasedTransform;
  if (settings.interpolation == "bilinear") {
    reading.augmentation.evaluation_filter = data::Filter::kBilinear;
  }
  reading.normalisation = {settings.mean, settings.deviation};
  return reading;
}

Evaluation evaluate(const ModelOnSet& job, training::Communicator& communicator) {
  return Evaluator(job, communicator).run();
}

Evaluated evaluated_cell(const experiments::Cell& cell, const io::Safetensors& weights,
                         const std::filesystem::path& trained_on) {
  auto settings = models::stored_settings(weights);
  if (!settings) settings = training::evaluation_settings(cell, open_smallest_split(trained_on));
  Evaluated evaluated = with_settings(weights, cell.architecture, *settings);
  evaluated.model.spatial_prior = cell.spatial_prior;
  evaluated.model.remixer = cell.is_remixer();
  return evaluated;
}

Evaluation evaluate(const EvaluateJob& job, training::Communicator& communicator) {
  const bool labelled = job.cell.is_remixer();
  if (labelled && !job.labels) {
    fail_input("cell {} is evaluated with labeler {}, but no patch labels of {} were given",
               job.cell.id(), job.cell.labeler_name, job.eval_set);
  }
  const auto& trained_on = !job.other_dataset ? job.dataset : job.trained_on;
  return evaluate(ModelOnSet{.dataset = open_set(job),
                             .evaluated = evaluated_cell(
                                 job.cell, io::read_safetensors(job.weights), trained_on),
                             .weights = job.weights,
                             .labels = labelled ? job.labels : nullptr,
                             .transform = job.transform,
                             .batch_size = job.batch_size,
                             .loader_threads = job.loader_threads,
                             .on_progress = job.on_progress},
                  communicator);
}

}  // namespace remixer::evaluation
