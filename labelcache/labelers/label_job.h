// SPDX-License-Identifier: Apache-2.0
// Labels one split of a dataset into a cache file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/augment/patch_labels.h"
#include "core/distributed/communicator.h"
#include "core/training/trainer.h"

namespace remixer::labelcache {

struct LabelJob {
  Json labeler;                   // {"name": "saliency", "version", parameters...}
  std::filesystem::path dataset;  // folder of the built dataset
  std::string split;
  std::filesystem::path output;   // the cache file; rank 0 writes it
  std::filesystem::path weights;  // folder of <network>.safetensors
  std::filesystem::path pinned;   // folder of a user's own, looked into before; may be empty
  // Outputs that earlier runs of this job did not finish: it goes on from the one that got
  // farthest, its own among them. They are only read.
  std::vector<std::filesystem::path> resume_from;
  // An unreadable image gets an empty map (no object; all classes alike) instead of ending the job.
  bool skip_unreadable = false;
  std::function<training::Directive(int64_t done, int64_t total)> on_progress;  // rank 0
};

struct LabelOutcome {
  bool finished = false;  // false: stopped by a directive
  int64_t images = 0;
  int64_t resumed_at = 0;               // images that an earlier run had labelled
  std::vector<std::string> unreadable;  // why, each naming its image; rank 0
  std::string content_sha256;           // of the labels; equal for any number of ranks
  double seconds = 0;
};

// Collective; images are divided among the ranks in fixed blocks of the sample order. A run that is
// cut, at any moment, leaves its whole blocks in a partial file beside `output`; the next one goes
// on from there, and the file is the same as if it had run through. Throws InputError on an
// unreadable image (named), missing weights or an unknown labeler.
LabelOutcome build_labels(const LabelJob& job, training::Communicator& communicator);

// Opens a cache file for reading, checked against the dataset that it is to be used with and, where
// given, against the labeler's entry in the cell that uses it: its parameters and weights. Maps
// that were imported are told apart by their hash, which the cell's entry pins. Throws InputError
// where it is torn, of another dataset, split or labeler (both named).
std::unique_ptr<data::LabelSource> open_labels(const std::filesystem::path& file,
                                               const std::string& dataset_content_sha256,
                                               const std::string& split,
                                               const Json& labeler = nullptr);

}  // namespace remixer::labelcache
