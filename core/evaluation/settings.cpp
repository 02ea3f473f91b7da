// SPDX-License-Identifier: Apache-2.0
#include "core/evaluation/settings.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "core/dataset/imagenet_classes.h"
#include "core/models/published_weights.h"
#include "core/models/weights.h"

namespace remixer::evaluation {
namespace {

std::vector<std::string> imagenet_names() {
  std::vector<std::string> names;
  for (const auto& entry : data::imagenet_classes()) names.emplace_back(entry.wordnet_id);
  return names;
}

// Settings assumed for weights without metadata.
EvaluationSettings assumed(const io::Safetensors& file, const models::ModelSpec& spec,
                           const SettingsWishes& wishes) {
  const auto published = models::find_published(spec.architecture, spec.image_size,
                                                file.path.filename().string(), wishes.checkpoint);
  EvaluationSettings settings;
  if (spec.num_classes == data::kImageNetClasses) settings.classes = imagenet_names();
  settings.mean = published.mean;
  settings.deviation = published.deviation;
  settings.crop = published.crop;
  settings.interpolation = published.interpolation;
  return settings;
}

void apply(const SettingsWishes& wishes, EvaluationSettings& settings) {
  if (!wishes.trained_on.empty()) {
    const data::Dataset dataset = open_smallest_split(wishes.trained_on);
    settings.classes = dataset.classes();
    settings.mean = dataset.mean();
    settings.deviation = dataset.deviation();
  }
  if (wishes.mean) settings.mean = *wishes.mean;
  if (wishes.deviation) settings.deviation = *wishes.deviation;
  for (const float value : settings.deviation) {
    if (!(value > 0)) fail_input("a deviation of {} cannot be divided by: give one above 0", value);
  }
  if (wishes.crop) settings.crop = *wishes.crop;
  if (!wishes.interpolation.empty()) settings.interpolation = wishes.interpolation;
  if (wishes.token_vote) settings.token_vote = *wishes.token_vote;
  if (!wishes.distance.empty()) settings.distance = wishes.distance;
}

Evaluated finish(const io::Safetensors& file, models::ModelSpec spec, EvaluationSettings settings,
                 const SettingsWishes& wishes) {
  const std::string path = file.path.string();
  apply(wishes, settings);
  settings.image_size = spec.image_size;
  if (!settings.classes.empty() &&
      static_cast<int64_t>(settings.classes.size()) != spec.num_classes) {
    fail_input("{}: the model has {} classes, but {} names {}", path, spec.num_classes,
               wishes.trained_on.empty() ? "its metadata" : wishes.trained_on.string(),
               settings.classes.size());
  }
  if (settings.token_vote && spec.token_classes != spec.num_classes) {
    fail_input(
        "{}: the patches cannot vote: aux_head has {} classes, the model {}; evaluate it "
        "with --token-vote off",
        path, spec.token_classes, spec.num_classes);
  }
  if (!settings.token_vote) spec.token_classes = 0;
  return {std::move(spec), std::move(settings)};
}

models::ModelSpec spec_of(const io::Safetensors& file, const std::string& architecture,
                          const SettingsWishes& wishes) {
  models::ModelSpec spec = models::spec_of_weights(file, architecture);
  if (wishes.image_size > 0) spec.image_size = wishes.image_size;
  return spec;
}

// A key that all names of one class share: its WordNet id for one of ImageNet's classes.
std::string key_of(const std::string& name) {
  static const std::map<std::string_view, std::string_view> by_name = [] {
    std::map<std::string_view, std::string_view> ids;
    for (const auto& entry : data::imagenet_classes()) ids.emplace(entry.name, entry.wordnet_id);
    return ids;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? name : std::string(found->second);
}

// "a, b, c and 7 more"
std::string some(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  const std::vector<std::string> first(
      names.begin(), names.begin() + static_cast<ptrdiff_t>(std::min(kShown, names.size())));
  return fmt::format(
      "{}{}", fmt::join(first, ", "),
      names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "");
}

// By name; `missing` gets the set's classes that the model lacks.
std::vector<int> read_by_name(const std::vector<std::string>& model, const data::Dataset& dataset,
                              std::vector<std::string>& missing) {
  std::map<std::string, std::vector<size_t>> places;
  for (size_t i = 0; i < model.size(); ++i) places[key_of(model[i])].push_back(i);
  std::vector<int> reading(model.size(), -1);
  for (size_t label = 0; label < dataset.classes().size(); ++label) {
    const auto found = places.find(key_of(dataset.classes()[label]));
    if (found == places.end()) {
      missing.push_back(dataset.classes()[label]);
      continue;
    }
    for (const size_t i : found->second) reading[i] = static_cast<int>(label);
  }
  return reading;
}

// Through ImageNet-9; empty if the set is not ImageNet-9 or the model lacks any of the nine.
std::vector<int> read_as_nine(const std::vector<std::string>& model, const data::Dataset& dataset) {
  const auto set = data::imagenet9_of_classes(dataset.classes());
  const auto theirs = data::imagenet9_of_classes(model);
  if (!set || !theirs || set->size() != data::kImageNet9Classes) return {};
  std::vector<int> label(data::kImageNet9Classes, -1);  // the set's labels, by ImageNet-9's
  for (size_t i = 0; i < set->size(); ++i) {
    if ((*set)[i] >= 0) label[static_cast<size_t>((*set)[i])] = static_cast<int>(i);
  }
  std::vector<int> reading;
  std::vector<bool> known(data::kImageNet9Classes, false);
  for (const int nine : *theirs) {
    reading.push_back(nine < 0 ? -1 : label[static_cast<size_t>(nine)]);
    if (nine >= 0) known[static_cast<size_t>(nine)] = true;
  }
  const bool whole = std::find(label.begin(), label.end(), -1) == label.end() &&
                     std::find(known.begin(), known.end(), false) == known.end();
  return whole ? reading : std::vector<int>{};
}

}  // namespace

data::Dataset open_smallest_split(const std::filesystem::path& folder) {
  const auto file = folder / "manifest.json";
  const auto manifest = Json::parse(read_file(file), nullptr, false);
  std::string smallest;
  int64_t least = -1;
  try {
    for (const auto& [name, size] : manifest.at("splits").items()) {
      if (least >= 0 && size.get<int64_t>() >= least) continue;
      smallest = name;
      least = size.get<int64_t>();
    }
  } catch (const Json::exception&) {
    fail_input("{} is no data set's manifest", file.string());
  }
  return data::Dataset::open(folder, smallest);
}

Evaluated settings_of(const io::Safetensors& file, const std::string& architecture,
                      const SettingsWishes& wishes) {
  if (auto stored = models::stored_settings(file)) {
    return with_settings(file, architecture, std::move(*stored), wishes);
  }
  const models::ModelSpec spec = spec_of(file, architecture, wishes);
  if (spec.token_classes > 0 && !wishes.token_vote) {
    fail_input(
        "{}: holds an aux_head (TokenLabeling) and does not say whether the patches vote at "
        "evaluation: give --token-vote on (Jiang et al.) or off (OAMixer)",
        file.path.string());
  }
  return finish(file, spec, assumed(file, spec, wishes), wishes);
}

Evaluated with_settings(const io::Safetensors& file, const std::string& architecture,
                        EvaluationSettings stored, const SettingsWishes& wishes) {
  if (!wishes.checkpoint.empty()) {
    const auto published = models::find_published(architecture, 0, "", wishes.checkpoint);
    stored.mean = published.mean;
    stored.deviation = published.deviation;
    stored.crop = published.crop;
    stored.interpolation = published.interpolation;
  }
  models::ModelSpec spec = spec_of(file, architecture, wishes);
  if (wishes.image_size == 0 && stored.image_size > 0) spec.image_size = stored.image_size;
  return finish(file, spec, std::move(stored), wishes);
}

std::vector<int> class_reading(const std::vector<std::string>& model_classes,
                               const data::Dataset& dataset) {
  const std::string folder = dataset.folder().string();
  if (model_classes.empty()) {
    fail_input(
        "the weights do not say which classes they tell apart, so they cannot be evaluated on {}: "
        "give --trained-on FOLDER, the data set that they were trained on",
        folder);
  }
  if (model_classes == dataset.classes()) {
    std::vector<int> reading(model_classes.size());
    for (size_t i = 0; i < reading.size(); ++i) reading[i] = static_cast<int>(i);
    return reading;
  }
  std::vector<std::string> missing;
  std::vector<int> reading = read_by_name(model_classes, dataset, missing);
  if (missing.empty()) return reading;
  reading = read_as_nine(model_classes, dataset);
  if (!reading.empty()) return reading;
  fail_input(
      "a model of the classes {} cannot be evaluated on {}: {} of its {} classes ({}) are none of "
      "them by name or WordNet id; if they mean the same in the same order, give --trained-on {}",
      some(model_classes), folder, missing.size(), dataset.classes().size(), some(missing), folder);
}

}  // namespace remixer::evaluation
