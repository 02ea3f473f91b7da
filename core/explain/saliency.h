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
#include "core/models/model.h"

namespace remixer::explain {

// Numbers of images of the split, in its order: those that `images` names, or, of {"count",
// "seed"}, so many drawn at random (all, where there are no more), the same for any order of the
// split's index. Throws InputError naming an image that the split lacks.
std::vector<int64_t> choose_images(const experiments::Json& images, const data::Dataset& dataset);

struct SaliencyJob {
  const data::Dataset& dataset;
  const data::LabelSource* labels = nullptr;  // of that set; required of a ReMixer model
  std::string distance;                       // "l1" or "cosine", of a ReMixer model
  double evaluation_crop = 0.875;             // as in evaluation
  // The logit of the image's label is explained; of a model whose classes are not the set's, and
  // where this says so, that of its answer.
  bool explain_answer = false;
  std::function<void(int64_t done, int64_t total)> on_progress = {};
};

// What `model`, with its weights loaded and on its device, makes of the chosen images: all of the
// file but `cell`. Throws InputError where labels are missing, model and set do not fit, or as
// relevance().
SaliencyFile draw_saliency(models::Model& model, const SaliencyJob& job,
                           const std::vector<int64_t>& chosen);

}  // namespace remixer::explain
