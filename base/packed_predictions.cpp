// SPDX-License-Identifier: Apache-2.0
#include "base/packed_predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <limits>

#include "base/error.h"
#include "base/parse_json.h"
#include "base/predictions_tensors.h"

namespace remixer {
namespace {

constexpr int64_t kKept = 5;  // top-5 needs no more
constexpr const char* kFormat = "remixer-packed-predictions-1";

std::string truth_prefix(int64_t truth) {
  return fmt::format("truth.{}.", truth);
}

std::string classes_name(size_t evaluation, const std::string& weights) {
  return fmt::format("{}.{}", evaluation, weights);
}

// `images`: the number of labels in the truth.
Predictions read_ranked(const SafetensorsFile& file, const std::string& name, int64_t model_classes,
                        size_t images) {
  Predictions predictions = read_classes(file, name, model_classes, static_cast<int64_t>(images));
  constexpr float kNotKept = std::numeric_limits<float>::quiet_NaN();
  predictions.logits.assign(predictions.classes.size(), kNotKept);
  predictions.normalizer.assign(images, kNotKept);
  return predictions;
}

}  // namespace

void write_packed_predictions(const std::filesystem::path& path,
                              std::vector<PackedEvaluation> evaluations) {
  std::sort(evaluations.begin(), evaluations.end(),
            [](const auto& a, const auto& b) { return a.file < b.file; });
  TensorColumns columns;
  std::vector<TensorSource> tensors;
  std::vector<const Truth*> truths;
  Json listed = Json::array();
  for (size_t i = 0; i < evaluations.size(); ++i) {
    const PackedEvaluation& evaluation = evaluations[i];
    const PredictionsFile& file = evaluation.predictions;
    assert(file.whole_truth && (i == 0 || evaluations[i - 1].file != evaluation.file));
    const auto known = std::find_if(truths.begin(), truths.end(),
                                    [&](const Truth* truth) { return *truth == file.truth; });
    const int64_t truth = known - truths.begin();
    if (known == truths.end()) {
      add_truth(truth_prefix(truth), file.truth, columns, tensors);
      truths.push_back(&file.truth);
    }
    Json weights = Json::array();
    int64_t model_classes = 0;
    for (const auto& [name, predictions] : file.by_weights) {
      add_classes(classes_name(i, name), predictions, std::min(kKept, predictions.kept), columns,
                  tensors);
      weights.push_back(name);
      model_classes = predictions.model_classes;
    }
    listed.push_back({{"file", evaluation.file},
                      {"sha256", evaluation.sha256},
                      {"cell", file.cell},
                      {"eval_set", file.eval_set},
                      {"dataset_sha256", file.dataset_sha256},
                      {"model_classes", model_classes},
                      {"truth", truth},
                      {"weights", weights}});
  }
  write_tensor_file(path, std::move(tensors),
                    {{"format", kFormat}, {"evaluations", listed.dump()}});
}

PackedPredictions::PackedPredictions(const std::filesystem::path& path) : tensors_(path) {
  if (tensors_.metadata("format") != kFormat) {
    fail_input("{}: not a file of packed predictions", path.string());
  }
  try {
    const Json listed = parse_json(tensors_.metadata("evaluations"), path.string());
    for (const Json& each : listed) {
      Entry entry{.sha256 = each.at("sha256").get<std::string>(),
                  .cell = each.at("cell").get<std::string>(),
                  .eval_set = each.at("eval_set").get<std::string>(),
                  .dataset_sha256 = each.at("dataset_sha256").get<std::string>(),
                  .model_classes = each.at("model_classes").get<int64_t>(),
                  .truth = each.at("truth").get<int64_t>(),
                  .weights = each.at("weights").get<std::vector<std::string>>()};
      if (!places_.emplace(each.at("file").get<std::string>(), entries_.size()).second ||
          entry.model_classes < 1 || entry.model_classes > std::numeric_limits<uint16_t>::max()) {
        fail_input("{}: its list of evaluations contradicts itself", path.string());
      }
      entries_.push_back(std::move(entry));
    }
  } catch (const Json::exception& error) {
    fail_input("{}: its list of evaluations cannot be read: {}", path.string(), error.what());
  }
}

PredictionsFile PackedPredictions::read(const std::string& file) const {
  const size_t place = places_.at(file);
  const Entry& entry = entries_[place];
  PredictionsFile predictions;
  predictions.eval_set = entry.eval_set;
  predictions.dataset_sha256 = entry.dataset_sha256;
  predictions.cell = entry.cell;
  predictions.truth = read_truth(tensors_, truth_prefix(entry.truth), entry.model_classes);
  for (const std::string& weights : entry.weights) {
    predictions.by_weights[weights] =
        read_ranked(tensors_, classes_name(place, weights), entry.model_classes,
                    predictions.truth.labels.size());
  }
  return predictions;
}

}  // namespace remixer
