// SPDX-License-Identifier: Apache-2.0
// Evaluates weights on one evaluation set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/accuracy.h"
#include "base/predictions.h"
#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/distributed/communicator.h"
#include "core/evaluation/settings.h"
#include "core/loading/sample_store.h"
#include "experiments/spec/cell.h"
#include "experiments/spec/evaluation.h"

namespace remixer::evaluation {

struct Evaluation {
  std::vector<PredictionFigure> figures;  // top1, top5 and what else the set has
  Predictions predictions;
  Truth truth;
  // Of `figures`: percent, and how many images they are a mean over.
  double top1 = 0, top5 = 0;
  int64_t n = 0;
};

// The reading of an evaluation set that the settings ask for; transforms are those of
// experiments/spec/evaluation.h.
training::Reading evaluation_reading(const EvaluationSettings& settings,
                                     const std::string& transform = experiments::kWholeTransform);

// A model on a set, whatever made the two.
struct ModelOnSet {
  data::Dataset dataset;
  Evaluated evaluated;                        // settings_of() the weights
  std::filesystem::path weights;              // a file of weights (io::read_weights)
  const data::LabelSource* labels = nullptr;  // of that set; required of a ReMixer model
  std::string transform = experiments::kWholeTransform;
  int64_t batch_size = 128;
  int loader_threads = 1;
  std::function<void(int64_t done, int64_t total)> on_progress;  // rank 0
};

// Collective; images are divided among the ranks and every rank returns the whole answer, which
// does not depend on the rank count. Throws InputError where model and set do not fit, naming an
// image that cannot be read, and Error on logits that are not finite.
Evaluation evaluate(const ModelOnSet& job, training::Communicator& communicator);

// A trained cell as its weights' metadata say that it is evaluated; of weights that earlier
// versions wrote, without settings, as the cell says. `trained_on` is the folder of the cell's
// dataset.
Evaluated evaluated_cell(const experiments::Cell& cell, const io::Safetensors& weights,
                         const std::filesystem::path& trained_on);

struct EvaluateJob {
  experiments::Cell cell;
  std::filesystem::path dataset;
  // Of a set that is not of the cell's dataset: the spec of its own, and the folder of the cell's.
  Json other_dataset;  // null: the cell's
  std::filesystem::path trained_on;
  std::string eval_set;                       // a split of the dataset: "mixed_rand"
  const data::LabelSource* labels = nullptr;  // of that set; required where the cell has a labeler
  std::filesystem::path weights;              // a safetensors file
  std::string transform = experiments::kWholeTransform;
  int64_t batch_size = 128;
  int loader_threads = 1;
  std::function<void(int64_t done, int64_t total)> on_progress;  // rank 0
};

// A trained cell (evaluated_cell()) on a split of its own dataset, or of another; otherwise the
// same.
Evaluation evaluate(const EvaluateJob& job, training::Communicator& communicator);

}  // namespace remixer::evaluation
