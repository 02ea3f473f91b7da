// SPDX-License-Identifier: Apache-2.0
// Saliency maps of chosen images of a set.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/saliency_file.h"
#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/evaluation/settings.h"
#include "core/models/model.h"

namespace remixer::explain {

// Numbers of images of the split, in its order: those that `images` names, or, of {"count",
// "seed"}, so many drawn at random (all, where there are no more), the same for any order of the
// split's index. Throws InputError naming an image that the split lacks.
std::vector<int64_t> choose_images(const Json& images, const data::Dataset& dataset);

struct SaliencyJob {
  const data::Dataset& dataset;
  const evaluation::EvaluationSettings& settings;  // the model's: images are seen as in evaluation
  const data::LabelSource* labels = nullptr;       // of that set; required of a ReMixer model
  // Whose logit is explained. By default the image's label's, but the answer's of a model that has
  // several classes for one of the set's; that is an InputError where kLabel insists.
  enum class Logit { kLabelIfAny, kLabel, kAnswer } logit = Logit::kLabelIfAny;
  std::function<void(int64_t done, int64_t total)> on_progress = {};
};

// What `model`, with its weights loaded and on its device, makes of the chosen images: all of the
// file but `cell`. Throws InputError where labels are missing, model and set do not fit (an answer
// can be explained all the same, and is then never right), or as relevance().
SaliencyFile draw_saliency(models::Model& model, const SaliencyJob& job,
                           const std::vector<int64_t>& chosen);

}  // namespace remixer::explain
