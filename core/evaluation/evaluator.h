// Evaluates a trained cell on one evaluation set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/data/label_map.h"
#include "core/training/communicator.h"
#include "experiments/cell.h"

namespace remixer::evaluation {

struct EvaluateJob {
  experiments::Cell cell;
  std::filesystem::path dataset;
  std::string eval_set;                       // a split of the dataset: "mixed_rand"
  const data::LabelSource* labels = nullptr;  // of that set; required where the cell has a labeler
  std::filesystem::path weights;              // a safetensors file
  int64_t batch_size = 128;
  int loader_threads = 1;
  std::function<void(int64_t done, int64_t total)> on_progress;  // rank 0
};

struct Evaluation {
  double top1 = 0;  // percent
  double top5 = 0;
  int64_t n = 0;                       // images counted
  std::vector<uint16_t> predictions;   // by sample number, the class with the largest logit
};

// Collective; images are divided among the ranks and every rank returns the whole answer, which does
// not depend on the rank count.
Evaluation evaluate(const EvaluateJob& job, training::Communicator& communicator);

}  // namespace remixer::evaluation
