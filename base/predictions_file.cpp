// SPDX-License-Identifier: Apache-2.0
#include "base/predictions_file.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/error.h"
#include "base/safetensors_file.h"

namespace remixer {
namespace {

constexpr std::string_view kNormalizer = ".normalizer";
constexpr const char* kWholeTruth = "2";  // metadata "format" of files with all of the truth

// Tensors look into what they are made of; this keeps it.
struct Columns {
  std::map<std::string, std::vector<uint8_t>> narrow;
  std::map<std::string, std::vector<int32_t>> wide;
};

// With `columns` as the values' keeper.
void add_predictions(const std::string& weights, const Predictions& predictions, Columns& columns,
                     std::vector<TensorSource>& tensors) {
  const std::vector<int64_t> shape{predictions.images(), predictions.kept};
  const auto& classes = predictions.classes;
  const std::string name = weights + ".classes";
  if (predictions.model_classes <= 256) {
    auto& values = columns.narrow[name];
    for (const uint16_t value : classes) values.push_back(static_cast<uint8_t>(value));
    tensors.push_back(tensor_source(name, shape, values));
  } else {
    auto& values = columns.wide[name];
    values.assign(classes.begin(), classes.end());
    tensors.push_back(tensor_source(name, shape, values));
  }
  tensors.push_back(tensor_source(weights + ".logits", shape, predictions.logits));
  tensors.push_back(
      tensor_source(weights + ".normalizer", {predictions.images()}, predictions.normalizer));
}

void add_truth(const Truth& truth, Columns& columns, std::vector<TensorSource>& tensors) {
  const auto add = [&](const char* name, const std::vector<int32_t>& values) {
    tensors.push_back(tensor_source(name, {static_cast<int64_t>(values.size())}, values));
  };
  add("labels", truth.labels);
  if (!truth.foregrounds.empty()) add("foregrounds", truth.foregrounds);
  if (!truth.reading.empty()) add("reading", truth.reading);
  if (truth.more_labels.empty()) return;
  auto& labels = columns.wide["more_labels"];
  auto& images = columns.wide["more_labels_of"];
  for (const auto& [image, more] : truth.more_labels) {
    labels.insert(labels.end(), more.begin(), more.end());
    images.insert(images.end(), more.size(), static_cast<int32_t>(image));
  }
  add("more_labels", labels);
  add("more_labels_of", images);
}

// A list of whole numbers in [least, most].
std::vector<int32_t> numbers(const SafetensorsFile& file, const std::string& name, int64_t least,
                             int64_t most) {
  if (file.entry(name).shape.size() != 1) {
    fail_input("{}: '{}' must be one list", file.path().string(), name);
  }
  std::vector<int32_t> values;
  for (const int64_t value : file.integers(name)) {
    if (value < least || value > most) {
      fail_input("{}: '{}' holds {}, which is not from {} to {}", file.path().string(), name, value,
                 least, most);
    }
    values.push_back(static_cast<int32_t>(value));
  }
  return values;
}

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

Truth truth_of(const SafetensorsFile& file, int64_t model_classes) {
  Truth truth;
  truth.labels = numbers(file, "labels", 0, kMost);
  const auto images = static_cast<int64_t>(truth.labels.size());
  if (images == 0) fail_input("{}: predictions of no image", file.path().string());
  if (file.has("foregrounds")) truth.foregrounds = numbers(file, "foregrounds", -1, kMost);
  if (file.has("reading")) truth.reading = numbers(file, "reading", -1, kMost);
  if ((!truth.foregrounds.empty() && truth.foregrounds.size() != truth.labels.size()) ||
      (!truth.reading.empty() && static_cast<int64_t>(truth.reading.size()) != model_classes)) {
    fail_input("{}: 'foregrounds' or 'reading' is not of as many as there are images or classes",
               file.path().string());
  }
  if (!file.has("more_labels")) return truth;
  const auto labels = numbers(file, "more_labels", 0, kMost);
  const auto of = numbers(file, "more_labels_of", 0, images - 1);
  if (labels.size() != of.size()) {
    fail_input("{}: 'more_labels' and 'more_labels_of' are not of one length",
               file.path().string());
  }
  for (size_t i = 0; i < of.size(); ++i) truth.more_labels[of[i]].push_back(labels[i]);
  return truth;
}

Predictions predictions_of(const SafetensorsFile& file, const std::string& weights,
                           int64_t model_classes) {
  const auto& shape = file.entry(weights + ".classes").shape;
  if (shape.size() != 2 || shape[1] < 1 || file.entry(weights + ".logits").shape != shape ||
      file.entry(weights + ".normalizer").shape != std::vector<int64_t>{shape[0]}) {
    fail_input("{}: these are no answers of a model: '{}' has other shapes", file.path().string(),
               weights);
  }
  Predictions predictions;
  predictions.model_classes = model_classes;
  predictions.kept = shape[1];
  for (const int64_t value : file.integers(weights + ".classes")) {
    if (value < 0 || value >= model_classes) {
      fail_input("{}: '{}.classes' names class {} of {}", file.path().string(), weights, value,
                 model_classes);
    }
    predictions.classes.push_back(static_cast<uint16_t>(value));
  }
  predictions.logits = file.floats(weights + ".logits");
  predictions.normalizer = file.floats(weights + ".normalizer");
  return predictions;
}

int64_t model_classes_of(const SafetensorsFile& file) {
  const std::string text = file.metadata("model_classes");
  int64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || count < 1 ||
      count > std::numeric_limits<uint16_t>::max()) {
    fail_input("{}: not a file of predictions: its 'model_classes' is '{}'", file.path().string(),
               text);
  }
  return count;
}

}  // namespace

void write_predictions(const std::filesystem::path& path, const PredictionsFile& file) {
  Columns columns;
  std::vector<TensorSource> tensors;
  int64_t model_classes = 0;
  for (const auto& [weights, predictions] : file.by_weights) {
    model_classes = predictions.model_classes;
    add_predictions(weights, predictions, columns, tensors);
  }
  add_truth(file.truth, columns, tensors);
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
  file.truth = truth_of(tensors, model_classes);
  file.eval_set = tensors.metadata("eval_set");
  file.dataset_sha256 = tensors.metadata("dataset_sha256");
  file.cell = tensors.metadata("cell");
  file.whole_truth = tensors.metadata("format") == kWholeTruth;
  for (const TensorEntry& entry : tensors.entries()) {
    if (!std::string_view(entry.name).ends_with(kNormalizer)) continue;
    const std::string weights = entry.name.substr(0, entry.name.size() - kNormalizer.size());
    Predictions predictions = predictions_of(tensors, weights, model_classes);
    if (predictions.images() != static_cast<int64_t>(file.truth.labels.size())) {
      fail_input("{}: '{}' answers {} images, there are {} labels", path.string(), weights,
                 predictions.images(), file.truth.labels.size());
    }
    file.by_weights[weights] = std::move(predictions);
  }
  return file;
}

}  // namespace remixer
