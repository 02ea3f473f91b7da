// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/imagenet_classes.h"

#include <algorithm>

namespace remixer::data {

namespace {

// Names in the released benchmark, where they differ from ours.
constexpr std::array<std::string_view, kImageNet9Classes> kReleasedNames = {
    "dog",     "bird", "wheeled vehicle", "reptile", "carnivore", "insect", "musical instrument",
    "primate", "fish"};

// "02_vehicle" becomes "vehicle".
std::string_view without_number(std::string_view name) {
  const bool numbered = name.size() > 3 && name[2] == '_' && name[0] == '0';
  return numbered ? name.substr(3) : name;
}

std::optional<int> imagenet9_of(std::string_view name) {
  if (const auto index = imagenet_index(name)) {
    return imagenet_classes()[static_cast<size_t>(*index)].imagenet9;
  }
  for (size_t label = 0; label < kImageNet9Classes; ++label) {
    const std::string_view known = imagenet9_class_names()[label];
    const std::string_view bare = without_number(name);
    const bool same = bare == without_number(known) || bare == kReleasedNames[label];
    // A leading number must be the class's own.
    if (same && (bare == name || name.substr(0, 3) == known.substr(0, 3))) {
      return static_cast<int>(label);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> imagenet_index(std::string_view wordnet_id) {
  const auto& classes = imagenet_classes();
  const auto found = std::lower_bound(
      classes.begin(), classes.end(), wordnet_id,
      [](const ImageNetClass& entry, std::string_view id) { return entry.wordnet_id < id; });
  if (found == classes.end() || found->wordnet_id != wordnet_id) return std::nullopt;
  return static_cast<int>(found - classes.begin());
}

const std::array<std::string_view, kImageNet9Classes>& imagenet9_class_names() {
  static constexpr std::array<std::string_view, kImageNet9Classes> kNames = {
      "00_dog",    "01_bird",       "02_vehicle", "03_reptile", "04_carnivore",
      "05_insect", "06_instrument", "07_primate", "08_fish"};
  return kNames;
}

std::optional<std::vector<int>> imagenet9_of_classes(const std::vector<std::string>& classes) {
  std::vector<int> labels;
  for (const std::string& name : classes) {
    const auto label = imagenet9_of(name);
    if (!label) return std::nullopt;
    labels.push_back(*label);
  }
  return labels;
}

}  // namespace remixer::data
