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
#include "experiments/spec/task_spec.h"

namespace remixer::evaluation {

struct Evaluation {
  std::vector<PredictionFigure> figures;  // top1, top5 and whatever else the set has
  Predictions predictions;
  Truth truth;
  // Taken from `figures`: percentages, and the number of images they average over.
  double top1 = 0, top5 = 0;
  int64_t n = 0;
};

// How to read an evaluation set under these settings; for transforms see
// experiments/spec/task_spec.h.
training::Reading evaluation_reading(const EvaluationSettings& settings,
                                     const std::string& transform = experiments::kWholeTransform);

// A model on a set, from whatever source.
struct ModelOnSet {
  data::Dataset dataset;
  Evaluated evaluated;                        // settings_of() the weights
  std::filesystem::path weights;              // a weights file (io::read_weights)
  const data::LabelSource* labels = nullptr;  // of that set; required for a ReMixer model
  std::string transform = experiments::kWholeTransform;
  int64_t batch_size = 128;
  int loader_threads = 1;
  std::function<void(int64_t done, int64_t total)> on_progress;  // rank 0
};

// Collective; images are divided among the ranks and every rank returns the whole result, which
// does not depend on the number of ranks. Throws InputError if model and set do not fit or an image
// (which it names) cannot be read, and Error on non-finite logits.
Evaluation evaluate(const ModelOnSet& job, training::Communicator& communicator);

// Model and evaluation settings of a trained cell: from its weights' metadata, or, for weights that
// an earlier version wrote without settings, from the cell. `trained_on` is the folder of the
// cell's dataset.
Evaluated evaluated_cell(const experiments::Cell& cell, const io::Safetensors& weights,
                         const std::filesystem::path& trained_on);

struct EvaluateJob {
  experiments::Cell cell;
  std::filesystem::path dataset;
  // If the set is not of the cell's dataset: that set's spec, and the folder of the cell's dataset.
  std::optional<experiments::DatasetSpec> other_dataset{};  // none: the cell's
  std::filesystem::path trained_on;
  std::string eval_set;                       // a split of the dataset: "mixed_rand"
  const data::LabelSource* labels = nullptr;  // of that set; required if the cell has a labeler
  std::filesystem::path weights;              // a safetensors file
  std::string transform = experiments::kWholeTransform;
  int64_t batch_size = 128;
  int loader_threads = 1;
  std::function<void(int64_t done, int64_t total)> on_progress;  // rank 0
};

// Evaluates a trained cell (evaluated_cell()) on a split of its own or another dataset; otherwise
// as above.
Evaluation evaluate(const EvaluateJob& job, training::Communicator& communicator);

}  // namespace remixer::evaluation
