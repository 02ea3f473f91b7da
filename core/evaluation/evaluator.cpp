#include "core/evaluation/evaluator.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <optional>

#include "core/base/error.h"
#include "core/io/safetensors.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "core/training/loader.h"
#include "core/training/objective.h"
#include "core/training/sample_store.h"

namespace remixer::evaluation {
namespace {

// What one image came to.
struct Verdict {
  uint16_t prediction = 0;
  uint16_t rank = 0;  // classes placed before the true one; equal logits in the order of classes
};

Verdict judge(const float* logits, int64_t classes, int64_t truth, const std::string& sample) {
  Verdict verdict;
  for (int64_t c = 0; c < classes; ++c) {
    if (!std::isfinite(logits[c])) {
      fail("the logits of sample {} are not finite; the weights are spoilt: train the cell again", sample);
    }
    if (logits[c] > logits[verdict.prediction]) verdict.prediction = static_cast<uint16_t>(c);
    verdict.rank += logits[c] > logits[truth] || (logits[c] == logits[truth] && c < truth);
  }
  return verdict;
}

// Classes of the extra head where its answers are ranked too (TokenLabeling's own evaluation): the file
// knows them.
int64_t ranked_tokens(const EvaluateJob& job) {
  if (job.cell.recipe.token_labeling != "original") return 0;
  return io::read_safetensors(job.weights).at("aux_head.weight").size(0);
}

class Evaluator {
 public:
  Evaluator(const EvaluateJob& job, training::Communicator& communicator)
      : job_(job),
        communicator_(communicator),
        dataset_(training::open_split(job.cell, job.dataset, job.eval_set)),
        model_(models::create_model_to_load(
            training::model_spec(job.cell, dataset_, ranked_tokens(job)))),
        store_(dataset_, labels(), model_->grid(), /*memory_limit=*/0, reading()),
        batches_((store_.size() + job.batch_size - 1) / job.batch_size) {
    if (store_.size() == 0) fail_input("{}: split {} is empty", job.dataset.string(), job.eval_set);
    models::load_weights(*model_, job.weights);
    models::move_to(*model_, communicator.device());
  }

  // Batches are the same for any number of ranks: a rank takes every size-th one, so that an image
  // always stands among the same neighbours.
  Evaluation run() {
    const int64_t size = communicator_.size(), rank = communicator_.rank();
    const int64_t mine = batches_ > rank ? (batches_ - rank - 1) / size + 1 : 0;
    training::Loader loader(store_, [&](int64_t i) { return draws(rank + i * size); }, 0, mine,
                            std::max(1, job_.loader_threads));
    std::vector<Verdict> verdicts(static_cast<size_t>(store_.size()));
    for (int64_t i = 0; i < mine; ++i) {
      const int64_t first = (rank + i * size) * job_.batch_size;
      judge_batch(loader.next(), first, verdicts);
      // Ranks keep pace, so rank 0's share stands for the whole.
      const int64_t done = std::min(store_.size(), (i + 1) * size * job_.batch_size);
      if (rank == 0 && job_.on_progress) job_.on_progress(done, store_.size());
    }
    collect(verdicts);
    return summarise(verdicts);
  }

 private:
  const data::LabelSource* labels() const {
    if (!job_.cell.is_remixer()) return nullptr;
    if (!job_.labels) {
      fail_input("cell {} is evaluated with labeler {}, but no patch labels of {} were given",
                 job_.cell.id(), job_.cell.labeler_name, job_.eval_set);
    }
    return job_.labels;
  }

  // No image is passed over: the figures are of the whole set.
  training::Reading reading() const {
    const auto side = static_cast<int>(training::image_size_of(job_.cell, dataset_));
    return {data::augmentation_settings(job_.cell.recipe, side), /*strict=*/true};
  }

  std::vector<training::Draw> draws(int64_t batch) const {
    std::vector<training::Draw> draws;
    const int64_t end = std::min(store_.size(), (batch + 1) * job_.batch_size);
    for (int64_t i = batch * job_.batch_size; i < end; ++i) draws.push_back({.sample = i});
    return draws;
  }

  void judge_batch(training::Batch batch, int64_t first, std::vector<Verdict>& verdicts) {
    at::NoGradGuard no_grad;
    const at::Tensor logits =
        training::ranked_logits(job_.cell, *model_,
                                training::to_device(std::move(batch), communicator_.device()))
            .cpu()
            .contiguous();
    const int64_t classes = logits.size(1);
    for (int64_t i = 0; i < logits.size(0); ++i) {
      const data::Sample& sample = dataset_.samples()[static_cast<size_t>(first + i)];
      verdicts[static_cast<size_t>(first + i)] =
          judge(logits.const_data_ptr<float>() + i * classes, classes, sample.label, sample.id);
    }
  }

  // Fills in what the other ranks judged.
  void collect(std::vector<Verdict>& verdicts) {
    const size_t bytes = verdicts.size() * sizeof(Verdict);
    const auto pieces =
        communicator_.all_gather(std::string(reinterpret_cast<const char*>(verdicts.data()), bytes));
    for (int64_t batch = 0; batch < batches_; ++batch) {
      const std::string& piece = pieces[static_cast<size_t>(batch % communicator_.size())];
      assert(piece.size() == bytes);
      const int64_t begin = batch * job_.batch_size;
      const int64_t end = std::min(store_.size(), begin + job_.batch_size);
      std::memcpy(&verdicts[static_cast<size_t>(begin)],
                  piece.data() + static_cast<size_t>(begin) * sizeof(Verdict),
                  static_cast<size_t>(end - begin) * sizeof(Verdict));
    }
  }

  Evaluation summarise(const std::vector<Verdict>& verdicts) const {
    Evaluation evaluation;
    evaluation.n = store_.size();
    int64_t first = 0, among_five = 0;
    for (const Verdict& verdict : verdicts) {
      first += verdict.rank == 0;
      among_five += verdict.rank < 5;
      evaluation.predictions.push_back(verdict.prediction);
    }
    evaluation.top1 = 100.0 * static_cast<double>(first) / static_cast<double>(evaluation.n);
    evaluation.top5 = 100.0 * static_cast<double>(among_five) / static_cast<double>(evaluation.n);
    return evaluation;
  }

  const EvaluateJob& job_;
  training::Communicator& communicator_;
  data::Dataset dataset_;
  std::unique_ptr<models::Model> model_;
  training::SampleStore store_;
  int64_t batches_;
};

}  // namespace

Evaluation evaluate(const EvaluateJob& job, training::Communicator& communicator) {
  return Evaluator(job, communicator).run();
}

}  // namespace remixer::evaluation
