// Labels one split of a dataset into a cache file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/data/label_map.h"
#include "core/training/communicator.h"
#include "core/training/trainer.h"
#include "experiments/json.h"

namespace remixer::labelcache {

struct LabelJob {
  experiments::Json labeler;      // {"name": "saliency", "version", parameters...}
  std::filesystem::path dataset;  // folder of the built dataset
  std::string split;
  std::filesystem::path output;   // the cache file; rank 0 writes it
  std::filesystem::path weights;  // folder of <network>.safetensors
  std::function<training::Directive(int64_t done, int64_t total)> on_progress;  // rank 0
};

struct LabelOutcome {
  bool finished = false;  // false: stopped by a directive
  int64_t images = 0;
  std::string content_sha256;  // of the labels; equal for any number of ranks
  double seconds = 0;
};

// Collective; images are divided among the ranks in fixed blocks of the sample order.
// Throws InputError on an unreadable image (named), missing weights or an unknown labeler.
LabelOutcome build_labels(const LabelJob& job, training::Communicator& communicator);

// Opens a cache file for reading, checked against the dataset that it is to be used with.
// Throws InputError where it is torn, of another dataset or of another split (both named).
std::unique_ptr<data::LabelSource> open_labels(const std::filesystem::path& file,
                                               const std::string& dataset_content_sha256,
                                               const std::string& split);

}  // namespace remixer::labelcache
