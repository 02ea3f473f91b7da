// SPDX-License-Identifier: Apache-2.0
// Results of tasks by kind: what a worker reports, the database keeps and later tasks read. Paths
// are relative to the workspace. docs/architecture.md, 'Results by kind of task'.
//
// The daemon takes a result as JSON of any form. It knows only that texts like "runs/..." in it are
// files, and that "x_sha256" is the hash of the file "x" (experiments/protocol/result_files.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace remixer::experiments {

struct PrepareResult {
  std::string folder;  // "datasets/<id>"
  std::string content_sha256;
  int64_t images = 0;  // of all splits
};

struct LabelResult {
  std::string file;  // "labels/<dataset>/<labeler>/<split>.labels"
  std::string content_sha256;
  int64_t images = 0;
  int64_t resumed_at = 0;  // images that earlier attempts had labelled
  double seconds = 0;      // of the last attempt
};

struct TrainResult {
  std::string model, model_sha256;             // the last step's weights
  std::optional<std::string> ema, ema_sha256;  // their moving average, if the recipe has one
  // Of the epoch that was the most accurate on held-out images, if any were held out.
  std::optional<std::string> best, best_sha256;
  std::optional<int64_t> best_epoch;
  std::optional<double> hold_out_top1;       // percent
  std::vector<std::optional<double>> kappa;  // by block; nothing: not finite
  std::optional<double> final_loss;          // nothing: not finite
  int64_t steps = 0;
  int64_t resumed_at = 0;  // step
  double seconds = 0;      // of the last attempt

  // The file of "raw", "ema" or "best" weights, if the training made them.
  std::optional<std::string> weights(const std::string& kind) const;
};

struct EvaluateResult {
  std::string predictions, predictions_sha256;
  double seconds = 0;
};

struct SaliencyResult {
  std::string saliency, saliency_sha256;
  int64_t images = 0;
  double seconds = 0;
};

Json result_json(const PrepareResult& result);
Json result_json(const LabelResult& result);
Json result_json(const TrainResult& result);
Json result_json(const EvaluateResult& result);
Json result_json(const SaliencyResult& result);

// Reads a result of this or another version. Unknown fields are ignored, and fields that no later
// task needs may be missing; throws InputError naming another one that is missing, or a field of a
// wrong type.
template <typename Result>
Result task_result(const Json& json);
// Same for the text of a result that a database holds; nothing if it is not such a result: empty,
// torn, or of a version that cannot be read.
template <typename Result>
std::optional<Result> stored_result(const std::string& text) {
  try {
    return task_result<Result>(Json::parse(text, nullptr, /*allow_exceptions=*/false));
  } catch (const InputError&) {
    return std::nullopt;
  }
}
template <>
PrepareResult task_result(const Json& json);
template <>
LabelResult task_result(const Json& json);
template <>
TrainResult task_result(const Json& json);
template <>
EvaluateResult task_result(const Json& json);
template <>
SaliencyResult task_result(const Json& json);

}  // namespace remixer::experiments
