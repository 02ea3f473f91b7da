// SPDX-License-Identifier: Apache-2.0
// Computes saliency maps of chosen images of a set.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/saliency_file.h"
#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/evaluation/settings.h"
#include "core/models/model.h"
#include "experiments/spec/task_spec.h"

namespace remixer::explain {

// Sample numbers of the images that `images` names, in that order, or of the
// given number drawn at random (all, if there are no more), ascending, independent of the order of
// the split's index. Throws InputError naming an image that the split lacks.
std::vector<int64_t> choose_images(const experiments::SaliencyImages& images,
                                   const data::Dataset& dataset);

struct SaliencyJob {
  const data::Dataset& dataset;
  const evaluation::EvaluationSettings& settings;  // the model's: images as in evaluation
  const data::LabelSource* labels = nullptr;       // of that set; required for a ReMixer model
  // Which logit is explained. By default the label's, or the answer's if several of the model's
  // classes map to one of the set's; with kLabel that is an InputError.
  enum class Logit { kLabelIfAny, kLabel, kAnswer } logit = Logit::kLabelIfAny;
  std::function<void(int64_t done, int64_t total)> on_progress = {};
};

// Saliency maps of the chosen images by `model`, which has its weights and is on its device: all of
// the file but `cell`. Throws InputError if labels are missing, if model and set do not fit (with
// kAnswer they need not; the answer then never counts as right), or as relevance().
SaliencyFile draw_saliency(models::Model& model, const SaliencyJob& job,
                           const std::vector<int64_t>& chosen);

}  // namespace remixer::explain
