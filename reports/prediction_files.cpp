// SPDX-License-Identifier: Apache-2.0
#include "reports/prediction_files.h"

#include "base/error.h"
#include "base/hash.h"

namespace remixer::reports {

namespace fs = std::filesystem;

PredictionFiles::PredictionFiles(fs::path workspace) : workspace_(std::move(workspace)) {
  std::error_code none;
  const fs::path packed = workspace_ / kPackedPredictions;
  if (fs::exists(packed, none)) packed_.emplace(packed);
}

bool PredictionFiles::has(const std::string& file) const {
  std::error_code none;
  return fs::is_regular_file(workspace_ / file, none) || is_packed(file);
}

bool PredictionFiles::is_packed(const std::string& file) const {
  std::error_code none;
  return packed_ && packed_->has(file) && !fs::exists(workspace_ / file, none);
}

PredictionsFile PredictionFiles::read(const std::string& file) const {
  return is_packed(file) ? packed_->read(file) : read_predictions(workspace_ / file);
}

PredictionsFile PredictionFiles::read_checked(const StudyCell& cell,
                                              const Evaluation& evaluation) const {
  if (evaluation.predictions.empty()) {
    fail_input("the result of task {} names no predictions; `remixer retry` it",
               evaluation.task_id.substr(0, 12));
  }
  PredictionsFile file = read(evaluation.predictions);
  if (!evaluation.predictions_sha256.empty() &&
      sha256(evaluation.predictions) != evaluation.predictions_sha256) {
    fail_input("{}: not the file that the evaluation wrote: its SHA-256 is another",
               evaluation.predictions);
  }
  if (file.cell != cell.id || file.eval_set != evaluation.split) {
    fail_input("{}: holds the predictions of cell {} on {}", evaluation.predictions,
               file.cell.substr(0, 12), file.eval_set);
  }
  if (!file.whole_truth) {
    fail_input(
        "{}: written by a version that did not keep all that counts as right; `remixer retry` "
        "task {}",
        evaluation.predictions, evaluation.task_id.substr(0, 12));
  }
  return file;
}

std::string PredictionFiles::sha256(const std::string& file) const {
  return is_packed(file) ? packed_->sha256(file) : sha256_file(workspace_ / file);
}

}  // namespace remixer::reports
