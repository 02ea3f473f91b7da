// SPDX-License-Identifier: Apache-2.0
// Computes the labels of one dataset split into a label file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/augment/patch_labels.h"
#include "core/distributed/communicator.h"
#include "core/training/trainer.h"
#include "experiments/spec/component_spec.h"

namespace remixer::labelcache {

struct LabelJob {
  experiments::LabelerSpec labeler;
  std::filesystem::path dataset;  // folder of the built dataset
  std::string split;
  std::filesystem::path output;   // the label file; rank 0 writes it
  std::filesystem::path weights;  // folder of <network>.safetensors
  std::filesystem::path pinned;   // a user's own folder, searched first; may be empty
  // Outputs of earlier, unfinished runs of this job: the furthest one (including its own) is
  // continued. They are only read.
  std::vector<std::filesystem::path> resume_from;
  // An unreadable image gets an empty map (no object; all classes equal) instead of ending the job.
  bool skip_unreadable = false;
  std::function<training::Directive(int64_t done, int64_t total)> on_progress;  // rank 0
};

struct LabelOutcome {
  bool finished = false;  // false: stopped by a directive
  int64_t images = 0;
  int64_t resumed_at = 0;               // images that an earlier run had labelled
  std::vector<std::string> unreadable;  // why, each naming its image; rank 0
  std::string content_sha256;           // of the labels; the same for any number of ranks
  double seconds = 0;
};

// Collective; images are divided among the ranks in fixed blocks of the sample order. A labeler's
// network runs on the communicator's device, in full float32 and in the same order each time. An
// interrupted run leaves its whole blocks in a partial file beside `output`; the next run continues
// from there, and the file is the same as without interruption (if both ran on the same kind of
// device). Throws InputError on an unreadable
// image (named), missing weights or an unknown labeler.
LabelOutcome build_labels(const LabelJob& job, training::Communicator& communicator);

// Opens a label file for reading. Checks it against the dataset it is to be used with and, if
// given, the labeler of the cell that uses it: its parameters and weights. Imported maps are
// identified by their hash, which the labeler's spec pins. Throws InputError if the file is torn,
// or of another dataset, split or labeler (both are named).
std::unique_ptr<data::LabelSource> open_labels(
    const std::filesystem::path& file, const std::string& dataset_content_sha256,
    const std::string& split, const std::optional<experiments::LabelerSpec>& labeler = {});

}  // namespace remixer::labelcache
