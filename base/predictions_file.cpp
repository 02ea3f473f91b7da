// SPDX-License-Identifier: Apache-2.0
#include "base/predictions_file.h"

#include <limits>

#include "base/error.h"
#include "base/parse_number.h"
#include "base/predictions_tensors.h"

namespace remixer {
namespace {

constexpr std::string_view kNormalizer = ".normalizer";
constexpr const char* kWholeTruth = "2";  // metadata "format" of files with the whole truth

std::string normalizer_of(const std::string& weights) {
  return weights + std::string(kNormalizer);
}

// `columns` holds the values.
void add_predictions(const std::string& weights, const Predictions& predictions,
                     TensorColumns& columns, std::vector<TensorSource>& tensors) {
  add_classes(weights + ".classes", predictions, predictions.kept, columns, tensors);
  tensors.push_back(tensor_source(weights + ".logits", {predictions.images(), predictions.kept},
                                  predictions.logits));
  tensors.push_back(
      tensor_source(normalizer_of(weights), {predictions.images()}, predictions.normalizer));
}

Predictions predictions_of(const SafetensorsFile& file, const std::string& weights,
                           int64_t model_classes, int64_t images) {
  const auto& shape = file.entry(weights + ".classes").shape;
  if (shape.size() != 2 || file.entry(weights + ".logits").shape != shape ||
      file.entry(normalizer_of(weights)).shape != std::vector<int64_t>{shape[0]}) {
    fail_input("{}: not a file of predictions: '{}' has other shapes", file.path().string(),
               weights);
  }
  Predictions predictions = read_classes(file, weights + ".classes", model_classes, images);
  predictions.logits = file.floats(weights + ".logits");
  predictions.normalizer = file.floats(normalizer_of(weights));
  return predictions;
}

int64_t model_classes_of(const SafetensorsFile& file) {
  const std::string text = file.metadata("model_classes");
  const auto count = parse_number<int64_t>(text);
  if (!count || *count < 1 || *count > std::numeric_limits<uint16_t>::max()) {
    fail_input("{}: not a file of predictions: its 'model_classes' is '{}'", file.path().string(),
               text);
  }
  return *count;
}

}  // namespace

void write_predictions(const std::filesystem::path& path, const PredictionsFile& file) {
  TensorColumns columns;
  std::vector<TensorSource> tensors;
  int64_t model_classes = 0;
  for (const auto& [weights, predictions] : file.by_weights) {
    model_classes = predictions.model_classes;
    add_predictions(weights, predictions, columns, tensors);
  }
  add_truth("", file.truth, columns, tensors);
  std::map<std::string, std::string> metadata{{"cell", file.cell},
                                              {"dataset_sha256", file.dataset_sha256},
                                              {"eval_set", file.eval_set},
                                              {"model_classes", std::to_string(model_classes)}};
  if (file.whole_truth) metadata.emplace("format", kWholeTruth);
  write_tensor_file(path, std::move(tensors), metadata);
}

PredictionsFile read_predictions(const std::filesystem::path& path) {
  const SafetensorsFile tensors(path);
  const int64_t model_classes = model_classes_of(tensors);
  PredictionsFile file;
  file.truth = read_truth(tensors, "", model_classes);
  file.eval_set = tensors.metadata("eval_set");
  file.dataset_sha256 = tensors.metadata("dataset_sha256");
  file.cell = tensors.metadata("cell");
  file.whole_truth = tensors.metadata("format") == kWholeTruth;
  for (const TensorEntry& entry : tensors.entries()) {
    if (!std::string_view(entry.name).ends_with(kNormalizer)) continue;
    const std::string weights = entry.name.substr(0, entry.name.size() - kNormalizer.size());
    file.by_weights[weights] = predictions_of(tensors, weights, model_classes,
                                              static_cast<int64_t>(file.truth.labels.size()));
  }
  return file;
}

}  // namespace remixer
