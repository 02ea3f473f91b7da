// The Background Challenge's adversarial metric: each foreground before every background of a set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/dataset/dataset.h"
#include "core/distributed/communicator.h"
#include "core/models/model.h"

namespace remixer::evaluation {

struct AdversarialJob {
  data::Dataset foregrounds;  // samples with masks, as split only_fg has them
  data::Dataset backgrounds;  // of the same dataset, as split only_bg_t has them
  models::ModelSpec model;
  std::filesystem::path weights;
  // Patch labels of a ReMixer model are the share of each patch that the mask covers: composites
  // are made as they are asked for, so no labeler has seen them.
  std::string distance = "l1";
  int64_t batch_size = 64;
  std::function<void(int64_t done, int64_t total)> on_progress;  // foregrounds; rank 0
};

struct AdversarialOutcome {
  // By foreground, the first background that flips it, as a sample number; -1: none does.
  std::vector<int64_t> flipped_by;
  int64_t images = 0;   // that were looked at: a flipped foreground is done with
  double unbroken = 0;  // percent of foregrounds that no background flips
};

// Collective; foregrounds are divided among the ranks, and every rank returns the whole answer.
// Pixels are the foreground's where its mask is set, the background's elsewhere. Throws InputError
// on a foreground without a mask, images of other sizes than the dataset's, and as evaluate does.
AdversarialOutcome challenge(const AdversarialJob& job, training::Communicator& communicator);

}  // namespace remixer::evaluation
