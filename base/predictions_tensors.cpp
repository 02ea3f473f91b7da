// SPDX-License-Identifier: Apache-2.0
#include "base/predictions_tensors.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace remixer {
namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

// A list of integers in [least, most].
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

}  // namespace

void add_classes(const std::string& name, const Predictions& predictions, int64_t kept,
                 TensorColumns& columns, std::vector<TensorSource>& tensors) {
  const std::vector<int64_t> shape{predictions.images(), kept};
  std::vector<uint16_t> classes;
  for (int64_t image = 0; image < predictions.images(); ++image) {
    const auto likely = predictions.likely(image).first(static_cast<size_t>(kept));
    classes.insert(classes.end(), likely.begin(), likely.end());
  }
  if (predictions.model_classes <= 256) {
    auto& values = columns.narrow[name];
    for (const uint16_t value : classes) values.push_back(static_cast<uint8_t>(value));
    tensors.push_back(tensor_source(name, shape, values));
  } else {
    auto& values = columns.wide[name];
    values.assign(classes.begin(), classes.end());
    tensors.push_back(tensor_source(name, shape, values));
  }
}

Predictions read_classes(const SafetensorsFile& file, const std::string& name,
                         int64_t model_classes, int64_t images) {
  const auto& shape = file.entry(name).shape;
  if (shape.size() != 2 || shape[1] < 1) {
    fail_input("{}: not a file of predictions: '{}' is not [images, classes kept]",
               file.path().string(), name);
  }
  if (shape[0] != images) {
    fail_input("{}: '{}' answers {} images, there are {} labels", file.path().string(), name,
               shape[0], images);
  }
  Predictions predictions;
  predictions.model_classes = model_classes;
  predictions.kept = shape[1];
  for (const int64_t value : file.integers(name)) {
    if (value < 0 || value >= model_classes) {
      fail_input("{}: '{}' names class {} of {}", file.path().string(), name, value, model_classes);
    }
    predictions.classes.push_back(static_cast<uint16_t>(value));
  }
  return predictions;
}

void add_truth(const std::string& prefix, const Truth& truth, TensorColumns& columns,
               std::vector<TensorSource>& tensors) {
  const auto add = [&](const char* name, const std::vector<int32_t>& values) {
    tensors.push_back(tensor_source(prefix + name, {static_cast<int64_t>(values.size())}, values));
  };
  add("labels", truth.labels);
  if (!truth.foregrounds.empty()) add("foregrounds", truth.foregrounds);
  if (!truth.reading.empty()) add("reading", truth.reading);
  if (truth.more_labels.empty()) return;
  auto& labels = columns.wide[prefix + "more_labels"];
  auto& images = columns.wide[prefix + "more_labels_of"];
  for (const auto& [image, more] : truth.more_labels) {
    labels.insert(labels.end(), more.begin(), more.end());
    images.insert(images.end(), more.size(), static_cast<int32_t>(image));
  }
  add("more_labels", labels);
  add("more_labels_of", images);
}

Truth read_truth(const SafetensorsFile& file, const std::string& prefix, int64_t model_classes) {
  Truth truth;
  truth.labels = numbers(file, prefix + "labels", 0, kMost);
  const auto images = static_cast<int64_t>(truth.labels.size());
  if (images == 0) fail_input("{}: predictions of no image", file.path().string());
  if (file.has(prefix + "foregrounds")) {
    truth.foregrounds = numbers(file, prefix + "foregrounds", -1, kMost);
  }
  if (file.has(prefix + "reading")) truth.reading = numbers(file, prefix + "reading", -1, kMost);
  if ((!truth.foregrounds.empty() && truth.foregrounds.size() != truth.labels.size()) ||
      (!truth.reading.empty() && static_cast<int64_t>(truth.reading.size()) != model_classes)) {
    fail_input("{}: 'foregrounds' or 'reading' is not of as many as there are images or classes",
               file.path().string());
  }
  if (!file.has(prefix + "more_labels")) return truth;
  const auto labels = numbers(file, prefix + "more_labels", 0, kMost);
  const auto of = numbers(file, prefix + "more_labels_of", 0, images - 1);
  if (labels.size() != of.size()) {
    fail_input("{}: 'more_labels' and 'more_labels_of' are not of one length",
               file.path().string());
  }
  for (size_t i = 0; i < of.size(); ++i) truth.more_labels[of[i]].push_back(labels[i]);
  return truth;
}

}  // namespace remixer
