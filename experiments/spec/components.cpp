// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/components.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/nearest_name.h"
#include "base/object_reader.h"
#include "experiments/spec/imported.h"

namespace remixer::experiments {
namespace {

constexpr const char* kWeightsSha256 = "weights_sha256";

template <typename T>
const T& find(const std::vector<T>& known, std::string_view what, std::string_view name) {
  std::vector<std::string> names;
  for (const T& entry : known) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  fail_input("{}", unknown_name(what, name, names));
}

// Every parameter: its default, or the override if there is one.
std::map<std::string, int64_t> all_parameters(const std::string& owner,
                                              const std::vector<Parameter>& parameters,
                                              const Json& overrides) {
  std::map<std::string, int64_t> all;
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters) {
    names.push_back(parameter.name);
    int64_t value = parameter.value;
    if (const auto given = overrides.find(parameter.name); given != overrides.end()) {
      ObjectReader::read(*given, owner + "." + parameter.name, value);
    }
    if (value < parameter.low || value > parameter.high) {
      fail_input("{}.{} is {}; it must be at least {} and at most {}", owner, parameter.name, value,
                 parameter.low, parameter.high);
    }
    const auto& only = parameter.only;
    if (!only.empty() && std::find(only.begin(), only.end(), value) == only.end()) {
      fail_input("{}.{} is {}; it must be {}", owner, parameter.name, value,
                 fmt::join(only, " or "));
    }
    if (!parameter.added || value != parameter.value) all[parameter.name] = value;
  }
  for (const auto& [name, value] : overrides.items()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    fail_input("{}: {}", owner, unknown_name("parameter", name, names));
  }
  return all;
}

// Removes the pin of `labeler` from `overrides` and returns it.
std::string take_pin(const Labeler& labeler, Json& overrides) {
  const auto given = overrides.find(labeler.pin);
  std::string pin;
  if (given != overrides.end()) {
    ObjectReader::read(*given, "labeler " + labeler.name + "." + labeler.pin, pin);
    overrides.erase(given);
  }
  const bool hash = pin.size() == 64 && pin.find_first_not_of("0123456789abcdef") == pin.npos;
  if (!hash) {
    fail_input(
        "labeler '{}' works with {} of your own: write [labeler.{}] with {} = \"...\", the "
        "64 digits that `remixer labels pin` prints",
        labeler.name, labeler.pin == "weights_sha256" ? "weights" : "maps", labeler.name,
        labeler.pin);
  }
  return pin;
}

void require_version(std::string_view what, std::string_view name, int64_t wanted, int64_t held) {
  if (wanted == held) return;
  fail_input(
      "the cell asks for version {} of {} '{}', this program holds version {}; submit the grid "
      "again with this program, or run the cell with the one that made it",
      wanted, what, name, held);
}

}  // namespace

const std::vector<Labeler>& labelers() {
  // ImageNet's classes, or their sums over ImageNet-9's.
  const Parameter classes{"classes", 1000, 9, 1000, true, {9, 1000}};
  // How the image is resized for the network: Lanczos, as in the published tool, or area averaging.
  const Parameter lanczos{"lanczos", 0, 0, 1, true};
  static const std::vector<Labeler> all{
      {"saliency", "l1", {{"input_size", 96, 32, 1024}, lanczos}, std::string(kU2netpSha256), 1},
      {"relabel",
       "cosine",
       {{"input_size", 224, 32, 1024}, {"top_k", 5, 1, 100}, classes},
       std::string(kEfficientNetLite0Sha256),
       1},
      // GrabCut runs at `scale` times the image's size: small images have too few pixels to learn
      // colours from.
      {"bbox_grabcut", "l1", {{"scale", 2, 1, 8}}, "", 1},
      {"masks", "l1", {}, "", 1},
      {"u2net", "l1", {{"input_size", 320, 32, 1024}, lanczos}, "", 1, "weights_sha256"},
      // A threshold in percent; 0 keeps the probabilities. With unit_range, pixels are in [0, 1],
      // as in OAMixer's released code, not in [-1, 1]. Version 2: the longer edge is truncated to
      // whole pixels, as torchvision does.
      {"bigbigan",
       "l1",
       {{"short_edge", 128, 16, 1024}, {"threshold", 0, 0, 99}, {"unit_range", 0, 0, 1, true}},
       "",
       2,
       "weights_sha256"},
      {"script_saliency", "l1", {}, "", 1, "weights_sha256"},
      {"script_relabel", "cosine", {{"top_k", 5, 1, 1000}, classes}, "", 1, "weights_sha256"},
      {"imported_masks", "l1", {}, "", 1, "labels_sha256"},
      {"imported_maps", "cosine", {}, "", 1, "labels_sha256"},
  };
  return all;
}

const Labeler& find_labeler(std::string_view name) {
  return find(labelers(), "labeler", name);
}

LabelerSpec make_labeler_spec(std::string_view name, const Json& overrides) {
  const Labeler& labeler = find_labeler(name);
  Json given = overrides;
  const std::string pin = labeler.pin.empty() ? "" : take_pin(labeler, given);
  LabelerSpec spec;
  spec.name = labeler.name;
  spec.version = labeler.version;
  spec.parameters = all_parameters("labeler " + labeler.name, labeler.parameters, given);
  if (!labeler.weights_sha256.empty()) spec.hashes[kWeightsSha256] = labeler.weights_sha256;
  if (!labeler.pin.empty()) spec.hashes[labeler.pin] = pin;
  return spec;
}

namespace {

std::vector<std::string> background_challenge_sets() {
  return {"original", "only_bg_b",  "only_bg_t",  "no_fg",
          "only_fg",  "mixed_same", "mixed_rand", "mixed_next"};
}

// docs/datasets.md describes them. A limit of 0 means none.
std::vector<Parameter> background_challenge(int64_t image_size, int64_t resize, int64_t train,
                                            int64_t test) {
  constexpr int64_t kMostImages = 10'000'000;
  return {{"seed", 0, 0, int64_t{1} << 53},
          {"image_size", image_size, 16, 1024},
          {"resize", resize, 16, 1024},
          {"train_per_class", train, 0, kMostImages},
          {"test_per_class", test, 0, kMostImages},
          {"balance", 1, 0, 1},
          {"train_variants", 0, 0, 1},
          {"grabcut_scale", 1, 1, 8}};
}

}  // namespace

const std::vector<DatasetBuilder>& dataset_builders() {
  static const std::vector<DatasetBuilder> all{
      {"fashion-bg",
       {{"seed", 0, 0, int64_t{1} << 53},
        {"train_images", 8000, 10, 60000},
        {"test_images", 1000, 20, 10000}},
       32,
       {"original", "only_bg_b", "only_bg_t", "no_fg", "only_fg", "mixed_same", "mixed_rand",
        "mixed_next"},
       1},
      // As published: 5045 training and 450 test images a class.
      {"imagenet9", background_challenge(224, 256, 5045, 450), 224, background_challenge_sets(), 1,
       true},
      {"tiny-imagenet9", background_challenge(64, 64, 0, 0), 64, background_challenge_sets(), 1,
       true},
  };
  return all;
}

const DatasetBuilder& find_dataset_builder(std::string_view name) {
  return find(dataset_builders(), "dataset builder", name);
}

DatasetSpec make_dataset_spec(std::string_view builder_name, const Json& overrides) {
  const DatasetBuilder& builder = find_dataset_builder(builder_name);
  DatasetSpec spec;
  spec.name = builder.name;
  spec.version = builder.version;
  spec.parameters = all_parameters("dataset " + builder.name, builder.parameters, overrides);
  return spec;
}

void require_known_versions(const Cell& cell) {
  require_version("architecture", cell.architecture, cell.architecture_version,
                  find_architecture(cell.architecture).version);
  require_version("recipe", cell.recipe_name, cell.recipe.version, Recipe::kVersion);
  const std::string& builder = cell.dataset.name;
  require_version(
      "dataset builder", builder, cell.dataset.version,
      builder == kImportedBuilder ? kImportedVersion : find_dataset_builder(builder).version);
  if (!cell.labeler) return;
  const Labeler& labeler = find_labeler(cell.labeler->name);
  require_version("labeler", labeler.name, cell.labeler->version, labeler.version);
  if (labeler.pin.empty() && cell.labeler->hash(kWeightsSha256) != labeler.weights_sha256) {
    fail_input("the cell's labeler '{}' was pinned to other weights than this program's",
               labeler.name);
  }
}

}  // namespace remixer::experiments
