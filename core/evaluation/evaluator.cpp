#include "core/evaluation/evaluator.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/error.h"
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

// Classes of the extra head where its answers are ranked too (TokenLabeling's own evaluation): the
// file knows them.
int64_t ranked_tokens(const EvaluateJob& job) {
  if (job.cell.recipe.token_labeling != "original") return 0;
  return io::read_safetensors(job.weights).at("aux_head.weight").size(0);
}

data::Dataset open_set(const EvaluateJob& job) {
  if (job.other_dataset.is_null()) {
    return training::open_split(job.cell, job.dataset, job.eval_set);
  }
  return training::open_split(job.other_dataset, job.dataset, job.eval_set);
}

class Evaluator {
 public:
  Evaluator(const ModelOnSet& job, training::Communicator& communicator)
      : job_(job),
        communicator_(communicator),
        reading_(class_reading(job.model.num_classes, job.dataset)),
        model_(models::create_model_to_load(job.model)),
        store_(job.dataset, job.labels, model_->grid(), /*memory_limit=*/0, reading(job)),
        batches_((store_.size() + job.batch_size - 1) / job.batch_size),
        answers_(job.model.num_classes, store_.size()) {
    training::set_arithmetic("fp32", communicator.device());
    if (store_.size() == 0) {
      fail_input("{}: split {} is empty", job.dataset.folder().string(), job.dataset.split());
    }
    if (job.model.remixer && job.labels == nullptr) {
      fail_input("{}: a ReMixer model needs patch labels of {}", job.weights.string(),
                 job.dataset.split());
    }
    models::load_weights(*model_, job.weights);
    models::move_to(*model_, communicator.device());
  }

  // Batches are the same for any number of ranks: a rank takes every size-th one, so that an image
  // always stands among the same neighbours.
  Evaluation run() {
    const int64_t size = communicator_.size(), rank = communicator_.rank();
    const int64_t mine = batches_ > rank ? (batches_ - rank - 1) / size + 1 : 0;
    training::Loader loader(
        store_, [&](int64_t i) { return draws(rank + i * size); }, 0, mine,
        std::max(1, job_.loader_threads));
    for (int64_t i = 0; i < mine; ++i) {
      answer(loader.next(), (rank + i * size) * job_.batch_size);
      // Ranks keep pace, so rank 0's share stands for the whole.
      const int64_t done = std::min(store_.size(), (i + 1) * size * job_.batch_size);
      if (rank == 0 && job_.on_progress) job_.on_progress(done, store_.size());
    }
    collect(answers_.classes, answers_.kept);
    collect(answers_.logits, answers_.kept);
    collect(answers_.normalizer, 1);
    Evaluation evaluation;
    evaluation.figures = figures(answers_, job_.dataset, reading_);
    evaluation.top1 = evaluation.figures[0].value;
    evaluation.top5 = evaluation.figures[1].value;
    evaluation.n = evaluation.figures[0].n;
    evaluation.answers = std::move(answers_);
    return evaluation;
  }

 private:
  // No image is passed over: the figures are of the whole set.
  static training::Reading reading(const ModelOnSet& job) {
    data::AugmentationSettings view;
    view.side = static_cast<int>(job.model.image_size);
    view.evaluation_crop = job.evaluation_crop;
    return {view, /*strict=*/true};
  }

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
    if (job_.model.remixer) distance = kernels::label_distance(batch.patch_labels, job_.distance);
    const at::Tensor ranked =
        job_.model.token_classes > 0
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
      answers_.set(first + i, row);
    }
  }

  // Fills in what the other ranks answered; `width` values an image.
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
  std::vector<int> reading_;
  std::unique_ptr<models::Model> model_;
  training::SampleStore store_;
  int64_t batches_;
  Answers answers_;
};

}  // namespace

Evaluation evaluate(const ModelOnSet& job, training::Communicator& communicator) {
  return Evaluator(job, communicator).run();
}

Evaluation evaluate(const EvaluateJob& job, training::Communicator& communicator) {
  const bool labelled = job.cell.is_remixer();
  if (labelled && !job.labels) {
    fail_input("cell {} is evaluated with labeler {}, but no patch labels of {} were given",
               job.cell.id(), job.cell.labeler_name, job.eval_set);
  }
  ModelOnSet on_set{.dataset = open_set(job),
                    .model = {},
                    .weights = job.weights,
                    .labels = labelled ? job.labels : nullptr,
                    .distance = job.cell.distance,
                    .batch_size = job.batch_size,
                    .loader_threads = job.loader_threads,
                    .on_progress = job.on_progress};
  on_set.model = training::model_spec(job.cell, on_set.dataset, ranked_tokens(job));
  if (job.num_classes > 0) on_set.model.num_classes = job.num_classes;
  on_set.evaluation_crop =
      data::augmentation_settings(job.cell.recipe, static_cast<int>(on_set.model.image_size))
          .evaluation_crop;
  return evaluate(on_set, communicator);
}

}  // namespace remixer::evaluation
