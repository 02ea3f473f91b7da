// SPDX-License-Identifier: Apache-2.0
// ImageNet's thousand classes (ILSVRC 2012) and the nine of ImageNet-9, to each of which a part of
// them belongs: dog 116, bird 52, vehicle 42, reptile 36, carnivore 35, insect 27, instrument 26,
// primate 20, fish 16, together 370 (Xiao et al. 2020). Immutable tables; thread-safe; no LibTorch.
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

// The index of the class with this WordNet id; nothing where it is none of the thousand.
std::optional<int> imagenet_index(std::string_view wordnet_id);

// ImageNet-9's classes by index, as folders and manifests name them: "00_dog" to "08_fish".
const std::array<std::string_view, kImageNet9Classes>& imagenet9_class_names();

// How each class of a dataset or a model, given by name in the order of its labels, is understood
// as one of ImageNet-9's: -1 for a class outside. ImageNet's classes are known by WordNet id,
// ImageNet-9's by their names here or as released ("02_wheeled vehicle"), with or without their
// numbers. Nothing where a name is none of these: such a list has no reading as ImageNet-9.
std::optional<std::vector<int>> imagenet9_of_classes(const std::vector<std::string>& classes);

}  // namespace remixer::data
