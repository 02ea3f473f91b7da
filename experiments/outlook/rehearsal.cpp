// SPDX-License-Identifier: Apache-2.0
#include "experiments/outlook/rehearsal.h"

#include <algorithm>
#include <cmath>
#include <regex>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "experiments/grid/grid_expansion.h"
#include "experiments/grid/grid_reader.h"
#include "experiments/spec/components.h"
#include "experiments/spec/imported.h"
#include "experiments/spec/pins.h"
#include "experiments/spec/task_spec.h"

namespace remixer::experiments {
namespace {

constexpr int64_t kSteps = 2, kSmallShard = 2;
constexpr double kHoldOut = 0.25;

// The recipe cut down to two steps.
Recipe rehearsed(const Recipe& recipe, const RehearsalTerms& terms) {
  Recipe short_one = recipe;
  short_one.epochs = 1;
  short_one.warmup_epochs = 0;
  if (recipe.hold_out > 0) short_one.hold_out = kHoldOut;
  if (terms.gpu) return short_one;
  // If ranks do not divide the shards, the rehearsal must fail as the real run would.
  if (recipe.shards % terms.ranks == 0) {
    short_one.shards = std::min(recipe.shards, std::max<int64_t>(2, terms.ranks));
  }
  short_one.shard_size = std::min(recipe.shard_size, kSmallShard);
  return short_one;
}

// Enough images for two steps of every recipe.
int64_t train_images(const GridFile& file, const RehearsalTerms& terms) {
  int64_t most = 0;
  for (const auto& [name, recipe] : file.recipes) {
    const Recipe short_one = rehearsed(recipe, terms);
    int64_t images = kSteps * short_one.shards * short_one.shard_size;
    if (recipe.repeated_augmentation > 1 && images >= kAugmentationRound) {
      images = (images + kAugmentationRound - 1) / kAugmentationRound * kAugmentationRound;
    }
    if (recipe.hold_out > 0) {
      images = static_cast<int64_t>(std::ceil(static_cast<double>(images) / (1 - kHoldOut))) + 1;
    }
    most = std::max(most, images);
  }
  return most;
}

std::string rehearsal_name(const std::string& name) {
  return fmt::format("{}-{}", kRehearsal, name);
}

bool is_imported(const NamedDataset& dataset) {
  return dataset.spec.name == kImportedBuilder;
}

// The workspace's manifest of the data set, if it has one.
Json manifest_of(const fs::path& workspace, const std::string& name) {
  const auto folders = folders_named(workspace, name);
  if (folders.empty()) return Json::object();
  const auto text = read_file_if_exists(folders.front() / "manifest.json");
  const Json manifest = Json::parse(text.value_or(""), nullptr, /*allow_exceptions=*/false);
  return manifest.is_object() ? manifest : Json::object();
}

Json dataset_order(const NamedDataset& dataset, const fs::path& workspace, int64_t images) {
  constexpr int64_t kClassesOfUnknown = 10;
  const Json manifest = manifest_of(workspace, dataset.called);
  std::string kind = dataset.kind;
  const Json made_by = manifest.value("made_by", Json::object());
  for (const char* field : {"import", "builder"}) {
    if (made_by.is_object() && made_by.contains(field)) kind = made_by.value(field, kind);
  }
  std::vector<std::string> splits = dataset.evaluation_sets;
  if (dataset.trains) splits.insert(splits.begin(), "train");
  const auto classes = manifest.contains("classes")
                           ? static_cast<int64_t>(manifest.at("classes").size())
                           : kClassesOfUnknown;
  return {{"name", dataset.called},
          {"kind", kind},
          {"splits", splits},
          {"classes", classes},
          {"image_size", dataset.image_size},
          {"train_images", images}};
}

// The user's own weights, if they exist already.
fs::path own_weights(const LabelerSpec& labeler, const fs::path& workspace,
                     const fs::path& installed) {
  const std::string& kind = labeler.name;
  const Labeler& known = find_labeler(kind);
  const bool script = kind.starts_with("script_");
  for (const fs::path& folder : {weights_folder(workspace), installed}) {
    const fs::path file = pinned_file(folder, script ? "script" : kind, labeler.hash(known.pin),
                                      script ? ".toml" : ".safetensors");
    if (fs::exists(file)) return file;
  }
  return {};
}

int64_t input_size_of(const fs::path& description, const std::string& name) {
  constexpr int64_t kUsual = 224, kNfnet = 576;
  const std::string text = read_file_if_exists(description).value_or("");
  std::smatch found;
  if (std::regex_search(text, found, std::regex("input_size *= *([0-9]{1,5})"))) {
    return std::stoll(found[1].str());
  }
  return name.find("nfnet_f6") == name.npos ? kUsual : kNfnet;
}

// Names of labelers whose pins must be made, by name of the pin.
std::map<std::string, std::string> pinned_labelers(const GridFile& file) {
  std::map<std::string, std::string> names;
  for (const auto& [name, labeler] : file.labelers) {
    if (!labeler.spec || find_labeler(labeler.spec->name).pin.empty()) continue;
    names.emplace(labeler.pinned.empty() ? name : labeler.pinned, name);
  }
  return names;
}

// The splits for which a labeler provides maps.
Json splits_of(const OutlinedGrid& outlined, const LabelerSpec& labeler) {
  Json splits = Json::array();
  for (const Task& task : outlined.grid.tasks) {
    if (task.kind != TaskKind::kLabel) continue;
    const LabelSpec spec = label_spec(task.spec);
    if (spec.labeler != labeler) continue;
    for (const auto& [name, dataset] : outlined.file.datasets) {
      if (dataset.spec == spec.dataset) {
        splits.push_back({dataset.called.empty() ? name : dataset.called, spec.split});
        break;
      }
    }
  }
  return splits;
}

}  // namespace

Json rehearsal_order(const OutlinedGrid& outlined, const fs::path& workspace,
                     const fs::path& installed, const RehearsalTerms& terms) {
  const GridFile& file = outlined.file;
  Json datasets = Json::array(), weights = Json::array();
  std::set<std::string> ordered;
  for (const auto& [name, dataset] : file.datasets) {
    if (!is_imported(dataset) || !ordered.insert(dataset.called).second) continue;
    datasets.push_back(dataset_order(dataset, workspace, train_images(file, terms)));
  }
  for (const auto& [pin, name] : pinned_labelers(file)) {
    const LabelerSpec& labeler = *file.labelers.at(name).spec;
    const std::string& kind = labeler.name;
    const bool script = kind.starts_with("script_"), maps = kind.starts_with("imported_");
    const fs::path own = maps ? fs::path() : own_weights(labeler, workspace, installed);
    // A classifier with hundreds of millions of weights needs a machine with a GPU.
    const bool taken = !own.empty() && (!script || terms.gpu);
    weights.push_back({{"kind", kind},
                       {"name", pin},
                       {"from", taken ? own.string() : ""},
                       {"input_size", script ? input_size_of(own, pin) : 0},
                       {"splits", maps ? splits_of(outlined, labeler) : Json::array()}});
  }
  return {{"datasets", datasets}, {"weights", weights}};
}

Grid rehearsal_grid(const GridFile& real, const fs::path& scratch,
                    const std::map<std::string, std::string>& pins, const RehearsalTerms& terms) {
  GridFile file = read_grid_file(real.text, real.file, scratch);
  require_inputs(file);
  file.name = rehearsal_name(real.name);
  file.description =
      fmt::format("{} on made-up data: no figure means anything. {}", kRehearsal, real.description);
  std::map<std::string, Recipe> recipes;
  for (const auto& [name, recipe] : file.recipes) {
    recipes[rehearsal_name(name)] = rehearsed(recipe, terms);
  }
  file.recipes = std::move(recipes);
  for (auto& [name, dataset] : file.datasets) {
    if (!dataset.spec.has("train_images")) continue;
    // The fewest that the builder takes.
    const auto least = [&](const char* name) {
      for (const Parameter& parameter : find_dataset_builder(dataset.spec.name).parameters) {
        if (parameter.name == name) return parameter.low;
      }
      return int64_t{0};
    };
    const int64_t images = std::max(least("train_images"), train_images(real, terms));
    dataset.spec.parameters["train_images"] = images;
    dataset.spec.parameters["test_images"] = least("test_images");
    dataset.images["train"] = images;
  }
  for (auto& [name, labeler] : file.labelers) {
    if (!labeler.spec) continue;
    const std::string& pin = find_labeler(labeler.spec->name).pin;
    if (pin.empty()) continue;
    const auto made = pins.find(labeler.pinned.empty() ? name : labeler.pinned);
    if (made != pins.end()) labeler.spec->hashes[pin] = made->second;
  }
  for (CellsBlock& block : file.cells) {
    for (auto& recipe : block.recipes) recipe.value = rehearsal_name(recipe.value);
    if (terms.gpu) continue;
    block.seeds.resize(1);
    for (auto& precision : block.precisions) {
      if (precision.value == "fp16") precision.value = "fp32";
    }
    const auto same = [](const auto& a, const auto& b) { return a.value == b.value; };
    block.precisions.erase(std::unique(block.precisions.begin(), block.precisions.end(), same),
                           block.precisions.end());
  }
  return expand_grid(file);
}

std::vector<std::string> rehearsal_differences(const GridFile& real, const RehearsalTerms& terms) {
  std::vector<std::string> lines = {
      "every data set is made up: a few images in the published layout",
      fmt::format("every training takes {} steps", kSteps)};
  if (terms.gpu) return lines;
  lines.push_back("on processors: one seed, fp32 in fp16's place");
  for (const auto& [name, recipe] : real.recipes) {
    const Recipe short_one = rehearsed(recipe, terms);
    lines.push_back(fmt::format("recipe {}: {} images a step in place of {}", name,
                                short_one.shards * short_one.shard_size,
                                recipe.shards * recipe.shard_size));
  }
  return lines;
}

}  // namespace remixer::experiments
