// SPDX-License-Identifier: Apache-2.0
// Held-out part of the training set: chosen by the seed, measured after each
// epoch.
#pragma once

#include <cstdint>
#include <vector>

#include "core/distributed/communicator.h"
#include "core/loading/sample_store.h"
#include "core/models/model.h"
#include "experiments/spec/cell.h"

namespace remixer::training {

// The sample numbers of a split in two parts, each ascending.
struct Division {
  std::vector<int64_t> trained, held_out;
};

// Holds ⌊fraction · count⌋ of `count` samples out. The seed alone decides which ones. Throws
// InputError if a fraction above 0 leaves one part empty.
Division divide(uint64_t seed, int64_t count, double fraction);

struct HeldOut {
  double top1 = 0;  // percent
  double loss = 0;  // mean cross-entropy with the true classes
};

// Collective: measures the model, in evaluation mode and float32, on those samples without
// augmentation. The batches, and so the result, are the same for any number of ranks.
HeldOut measure(const experiments::Cell& cell, models::Model& model, SampleStore& store,
                const std::vector<int64_t>& samples, Communicator& communicator,
                int loader_threads);

}  // namespace remixer::training
