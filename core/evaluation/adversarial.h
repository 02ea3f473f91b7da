// SPDX-License-Identifier: Apache-2.0
// The Background Challenge's adversarial metric: each foreground on every background of a set.
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

// A foreground on a background.
struct Composite {
  data::Sample sample;   // of the foreground; its id names both
  data::Image image;     // of the data set's size
  data::GrayImage mask;  // of the foreground
};
// Returns one map per composite, in order. Composites are created on demand, so their labels can
// only be computed on the fly.
using CompositeLabeler =
    std::function<std::vector<data::LabelMap>(const std::vector<Composite>& composites)>;

struct AdversarialJob {
  data::Dataset foregrounds;  // samples with masks, as in split only_fg
  data::Dataset backgrounds;  // of the same dataset, as in split only_bg_t
  Evaluated evaluated;        // settings_of() the weights
  std::filesystem::path weights;
  // Computes the patch labels of a ReMixer model; none: the foreground's true mask is used.
  CompositeLabeler labeler;
  int64_t batch_size = 64;
  std::function<void(int64_t done, int64_t total)> on_progress;  // foregrounds; rank 0
};

struct AdversarialOutcome {
  // For each foreground the first background that flips it, as a sample number; -1: none does.
  std::vector<int64_t> flipped_by;
  int64_t images = 0;       // images tried: no more are tried once a foreground is flipped
  double unbroken = 0;      // percent of foregrounds that no background flips
  bool true_masks = false;  // a ReMixer model was given masks that no labeler has
};

// Collective; foregrounds are divided among the ranks, and every rank returns the whole result.
// Pixels come from the foreground where its mask is set, from the background elsewhere. The model
// and its batches are on the communicator's device. Throws InputError if a foreground has no mask
// or an image's size is not the dataset's, and as evaluate() does.
AdversarialOutcome challenge(const AdversarialJob& job, training::Communicator& communicator);

}  // namespace remixer::evaluation
