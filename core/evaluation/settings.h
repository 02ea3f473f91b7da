// SPDX-License-Identifier: Apache-2.0
// Decides how a file of weights is evaluated, for grids and for `remixer model`
// alike.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/dataset/dataset.h"
#include "core/io/safetensors.h"
#include "core/models/evaluation_settings.h"
#include "core/models/model.h"

namespace remixer::evaluation {

using models::EvaluationSettings;

// What a user says; each wins over what the file says.
struct SettingsWishes {
  std::filesystem::path trained_on = {};  // a data set's folder: its classes, mean and deviation
  std::string checkpoint = {};  // a published one's name (core/models/published_weights.h)
  std::optional<std::array<float, 3>> mean = {}, deviation = {};
  std::optional<double> crop = {};
  std::string interpolation = {};
  std::optional<bool> token_vote = {};
  std::string distance = {};
  int64_t image_size = 0;
};

// A model as it is to be built for evaluation, and how its images are to be seen.
struct Evaluated {
  models::ModelSpec model;  // aux_head is part of it only where the patches vote
  EvaluationSettings settings;
};

// Settings come from the file's metadata. A file without them, such as public weights, gets those
// of its architecture or checkpoint (classes: ImageNet's where there are 1000). Throws InputError
// where a vote of the patches is possible and nobody says whether there is one, where the auxiliary
// classes are not the model's, or what a user says cannot be.
Evaluated settings_of(const io::Safetensors& file, const std::string& architecture,
                      const SettingsWishes& wishes = {});

// The same where `stored` is known, which stands for what the file says.
Evaluated with_settings(const io::Safetensors& file, const std::string& architecture,
                        EvaluationSettings stored, const SettingsWishes& wishes = {});

// A data set's smallest split: what is wanted is what all of its splits share. Throws InputError
// where there is no data set in the folder.
data::Dataset open_smallest_split(const std::filesystem::path& folder);

// How each of a model's classes is read as one of the set's, by index; -1: as none, which is wrong
// for every image. Classes are matched by name or WordNet id, whatever their order. Where the set's
// are ImageNet-9's nine, a model of ImageNet's classes is read through ImageNet-9's table
// (core/dataset/imagenet_classes.h). Throws InputError where the model's classes are not known, and
// where the set has a class that is none of the model's, naming some.
std::vector<int> class_reading(const std::vector<std::string>& model_classes,
                               const data::Dataset& dataset);

}  // namespace remixer::evaluation
