// SPDX-License-Identifier: Apache-2.0
// Class tables: ImageNet's thousand (ILSVRC 2012) and ImageNet-9's nine, which group some of them:
// dog 116, bird 52, vehicle 42, reptile 36, carnivore 35, insect 27, instrument 26, primate 20,
// fish 16, together 370 (Xiao et al. 2020). Immutable; thread-safe; no LibTorch.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace remixer::data {

constexpr int kImageNetClasses = 1000;
constexpr int kImageNet9Classes = 9;

struct ImageNetClass {
  std::string_view wordnet_id;  // "n01440764": the class's folder
  int imagenet9 = -1;           // 0 to 8; -1 for the 630 classes that ImageNet-9 leaves out
  std::string_view name;        // "tench": for people; unique
};

// By class index, which is the order of the WordNet ids.
const std::array<ImageNetClass, kImageNetClasses>& imagenet_classes();

// The index of the class with this WordNet id; empty if it is none of the thousand.
std::optional<int> imagenet_index(std::string_view wordnet_id);

// ImageNet-9's classes by index, as folders and manifests name them: "00_dog" to "08_fish".
const std::array<std::string_view, kImageNet9Classes>& imagenet9_class_names();

// Maps a dataset's or model's classes, given by name in label order, to ImageNet-9's; -1 for a
// class outside. ImageNet's classes are recognised by WordNet id, ImageNet-9's by their names here
// or in the release ("02_wheeled vehicle"), with or without numbers. Empty if any name is none of
// these: such a list cannot be mapped to ImageNet-9.
std::optional<std::vector<int>> imagenet9_of_classes(const std::vector<std::string>& classes);

}  // namespace remixer::data
