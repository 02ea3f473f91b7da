// SPDX-License-Identifier: Apache-2.0
// Decides how a weights file is evaluated, both for grids
// and for `remixer model`.
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

// Settings given by the user; each overrides the file's.
struct SettingsWishes {
  std::filesystem::path trained_on = {};  // a data set's folder: its classes, mean and deviation
  std::string checkpoint = {};  // a published checkpoint's name (core/models/published_weights.h)
  std::optional<std::array<float, 3>> mean = {}, deviation = {};
  std::optional<double> crop = {};
  std::string interpolation = {};
  std::optional<bool> token_vote = {};
  std::string distance = {};
  int64_t image_size = 0;
};

// A model to build for evaluation, and how its images are prepared.
struct Evaluated {
  models::ModelSpec model;  // has aux_head only if the patches vote
  EvaluationSettings settings;
};

// Settings come from the file's metadata. A file without them, such as public weights, gets the
// defaults of its architecture or checkpoint (classes: ImageNet's if there are 1000). Throws
// InputError if the patches could vote and neither file nor user says whether they do, if the
// auxiliary classes are not the model's, or if a user's setting is impossible.
Evaluated settings_of(const io::Safetensors& file, const std::string& architecture,
                      const SettingsWishes& wishes = {});

// The same with `stored` in place of the file's settings.
Evaluated with_settings(const io::Safetensors& file, const std::string& architecture,
                        EvaluationSettings stored, const SettingsWishes& wishes = {});

// Opens a data set's smallest split, for what all of its splits share. Throws InputError if the
// folder holds no data set.
data::Dataset open_smallest_split(const std::filesystem::path& folder);

// Maps each of a model's classes to one of the set's, by index; -1: to none, which is wrong for
// every image. Classes are matched by name or WordNet id, in any order. If the set's classes are
// ImageNet-9's nine, a model of ImageNet's classes is mapped through ImageNet-9's table
// (core/dataset/imagenet_classes.h). Throws InputError if the model's classes are not known, or if
// the set has classes that the model lacks (some are named).
std::vector<int> class_reading(const std::vector<std::string>& model_classes,
                               const data::Dataset& dataset);

}  // namespace remixer::evaluation
