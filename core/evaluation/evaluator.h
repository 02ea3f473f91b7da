// Evaluates weights on one evaluation set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/predictions.h"
#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/distributed/communicator.h"
#include "core/models/model.h"
#include "experiments/spec/cell.h"

namespace remixer::evaluation {

struct Evaluation {
  std::vector<PredictionFigure> figures;  // top1, top5 and what else the set has
  Predictions predictions;
  Truth truth;
  // Of `figures`: percent, and how many images they are a mean over.
  double top1 = 0, top5 = 0;
  int64_t n = 0;
};

// A model on a set, whatever made the two.
struct ModelOnSet {
  data::Dataset dataset;
  models::ModelSpec model;        // with token_classes, aux_head's answers are ranked with [CLS]'s
  std::filesystem::path weights;  // a safetensors file
  const data::LabelSource* labels = nullptr;  // of that set; required of a ReMixer model
  std::string distance;                       // "l1" or "cosine", of a ReMixer model
  // Images of another size than the model's are resized so that a centre of this share remains.
  double evaluation_crop = 0.875;
  int64_t batch_size = 128;
  int loader_threads = 1;
  std::function<void(int64_t done, int64_t total)> on_progress;  // rank 0
};

// Collective; images are divided among the ranks and every rank returns the whole answer, which
// does not depend on the rank count. Throws InputError where model and set do not fit, naming an
// image that cannot be read, and Error on logits that are not finite.
Evaluation evaluate(const ModelOnSet& job, training::Communicator& communicator);

struct EvaluateJob {
  experiments::Cell cell;
  std::filesystem::path dataset;
  // Of a set that is not of the cell's dataset: the spec of its own, and how many classes the model
  // tells apart.
  experiments::Json other_dataset;  // null: the cell's
  int64_t num_classes = 0;
  std::string eval_set;                       // a split of the dataset: "mixed_rand"
  const data::LabelSource* labels = nullptr;  // of that set; required where the cell has a labeler
  std::filesystem::path weights;              // a safetensors file
  int64_t batch_size = 128;
  int loader_threads = 1;
  std::function<void(int64_t done, int64_t total)> on_progress;  // rank 0
};

// A trained cell on a split of its own dataset; otherwise the same.
Evaluation evaluate(const EvaluateJob& job, training::Communicator& communicator);

}  // namespace remixer::evaluation
