// SPDX-License-Identifier: Apache-2.0
// Evaluation settings stored in the metadata of a model's weights file, so that the same weights
// give the same figure on the same set everywhere.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/io/safetensors.h"
#include "experiments/spec/component_spec.h"

namespace remixer::models {

struct EvaluationSettings {
  // The class of each logit, in order, by name or WordNet id. Empty: not known.
  std::vector<std::string> classes;
  // For pixels scaled to [0, 1]; red, green, blue.
  std::array<float, 3> mean{}, deviation{};
  int64_t image_size = 0;  // side of the model's input, in pixels
  // Images of other sizes are resized with `interpolation` and cropped to this central share.
  double crop = 0.875;
  std::string interpolation = "bicubic";  // or "bilinear"
  // The patches vote, as in TokenLabeling's own evaluation: half their largest logits is added.
  bool token_vote = false;
  // For a ReMixer model: the labeler of its patch labels, as in a cell, and their distance ("l1" or
  // "cosine"). None and empty: not known, or a plain model.
  std::optional<experiments::LabelerSpec> labeler;
  std::string distance;

  bool operator==(const EvaluationSettings&) const = default;
};

// The metadata entry, which save_weights() writes beside its own.
std::map<std::string, std::string> metadata_of(const EvaluationSettings& settings);

// The file's settings; empty if it has none. Throws InputError naming the file if they are
// invalid.
std::optional<EvaluationSettings> stored_settings(const io::Safetensors& file);

}  // namespace remixer::models
