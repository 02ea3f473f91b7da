// SPDX-License-Identifier: Apache-2.0
// Predictions of many evaluations in one small file, to be kept or shared after the run folders are
// gone. For each image it holds the five likeliest classes, enough to compute every metric, and no
// logits: 5 bytes per image and kind of weights for up to 256 classes. Truths are stored once.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/predictions_file.h"
#include "base/safetensors_file.h"

namespace remixer {

struct PackedEvaluation {
  std::string file;    // path of the predictions within the workspace
  std::string sha256;  // of that file as the evaluation wrote it
  PredictionsFile predictions;
};

// Writes a safetensors file atomically. The same evaluations in any order give the same bytes. Each
// `file` must be given once, and every evaluation must have its whole truth.
void write_packed_predictions(const std::filesystem::path& path,
                              std::vector<PackedEvaluation> evaluations);

// A packed predictions file, open for reading. Each object is used by one thread.
class PackedPredictions {
 public:
  // Throws InputError naming the file if it is not a packed predictions file.
  explicit PackedPredictions(const std::filesystem::path& path);

  bool has(const std::string& file) const { return places_.contains(file); }
  const std::map<std::string, size_t>& files() const { return places_; }
  // Predictions of a contained file. Logits and normalizers are NaN: they are not stored. Throws
  // InputError naming the packed file if its tensors are missing or contradict each other.
  PredictionsFile read(const std::string& file) const;
  // SHA-256 of that file as the evaluation wrote it.
  const std::string& sha256(const std::string& file) const {
    return entries_[places_.at(file)].sha256;
  }

 private:
  struct Entry {
    std::string sha256, cell, eval_set, dataset_sha256;
    int64_t model_classes = 0, truth = 0;
    std::vector<std::string> weights;
  };

  SafetensorsFile tensors_;
  std::vector<Entry> entries_;
  std::map<std::string, size_t> places_;  // indices into entries_, by file
};

}  // namespace remixer
