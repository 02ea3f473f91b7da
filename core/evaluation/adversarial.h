// SPDX-License-Identifier: Apache-2.0
// The Background Challenge's adversarial metric: each foreground before every background of a set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/distributed/communicator.h"
#include "core/evaluation/settings.h"
#include "core/image/image.h"

namespace remixer::evaluation {

// A foreground before a background.
struct Composite {
  data::Sample sample;   // the foreground's, its id naming both
  data::Image image;     // of the data set's size
  data::GrayImage mask;  // the foreground's
};
// One map a composite, in order. Composites are made as they are asked for, so labels of them can
// only be made on the way.
using CompositeLabeler =
    std::function<std::vector<data::LabelMap>(const std::vector<Composite>& composites)>;

struct AdversarialJob {
  data::Dataset foregrounds;  // samples with masks, as split only_fg has them
  data::Dataset backgrounds;  // of the same dataset, as split only_bg_t has them
  Evaluated evaluated;        // settings_of() the weights
  std::filesystem::path weights;
  // What a ReMixer model's patch labels are made by; none: the foreground's true mask.
  CompositeLabeler labeler;
  int64_t batch_size = 64;
  std::function<void(int64_t done, int64_t total)> on_progress;  // foregrounds; rank 0
};

struct AdversarialOutcome {
  // By foreground, the first background that flips it, as a sample number; -1: none does.
  std::vector<int64_t> flipped_by;
  int64_t images = 0;       // that were looked at: a flipped foreground is done with
  double unbroken = 0;      // percent of foregrounds that no background flips
  bool true_masks = false;  // a ReMixer model was given masks that no labeler has
};

// Collective; foregrounds are divided among the ranks, and every rank returns the whole answer.
// Pixels are the foreground's where its mask is set, the background's elsewhere. The model and its
// batches live on the communicator's device. Throws InputError on a foreground without a mask,
// images of other sizes than the dataset's, and as evaluate does.
AdversarialOutcome challenge(const AdversarialJob& job, training::Communicator& communicator);

}  // namespace remixer::evaluation
