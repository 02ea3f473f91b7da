// SPDX-License-Identifier: Apache-2.0
// Evaluation settings stored in a model's weights file. Its weights' metadata say it, so that a
// figure of the same weights on the same set is the same wherever it is made.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/io/safetensors.h"

namespace remixer::models {

struct EvaluationSettings {
  // What each logit stands for, in order: classes by name or by WordNet id. Empty: not known.
  std::vector<std::string> classes;
  // Of pixels scaled to [0, 1]; red, green, blue.
  std::array<float, 3> mean{}, deviation{};
  int64_t image_size = 0;  // pixels a side of what the model sees
  // Images of another size are resized, by `interpolation`, so that a centre of this share remains.
  double crop = 0.875;
  std::string interpolation = "bicubic";  // or "bilinear"
  // The patches vote, as in TokenLabeling's own evaluation: half of their largest logits is added.
  bool token_vote = false;
  // Of a ReMixer model: what its patch labels are made by, as in a cell, and their distance ("l1"
  // or "cosine"). Null and empty: not known, or a plain model.
  Json labeler;
  std::string distance;

  bool operator==(const EvaluationSettings&) const = default;
};

// The metadata's entry, which save_weights() writes beside its own.
std::map<std::string, std::string> metadata_of(const EvaluationSettings& settings);

// What the file says; nothing where it says nothing. Throws InputError, naming the file, where what
// it says cannot be.
std::optional<EvaluationSettings> stored_settings(const io::Safetensors& file);

}  // namespace remixer::models
