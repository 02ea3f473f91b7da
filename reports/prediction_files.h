// SPDX-License-Identifier: Apache-2.0
// Reads a workspace's stored predictions: each in its run's folder or, in an exported workspace,
// all packed into one file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/packed_predictions.h"
#include "reports/study.h"

namespace remixer::reports {

// Path of the packed predictions that `remixer export` writes, below the workspace.
inline constexpr const char* kPackedPredictions = "predictions.packed";

// One thread per object.
class PredictionFiles {
 public:
  // Throws InputError if there are packed predictions that cannot be read.
  explicit PredictionFiles(std::filesystem::path workspace);

  // Files are named by their path below the workspace. Throws InputError naming the file if it is
  // missing or cannot be read.
  PredictionsFile read(const std::string& file) const;
  // Reads a finished evaluation's file. Throws InputError as read(), and if the predictions are not
  // the ones it wrote (hash, cell, set) or do not list all right answers.
  PredictionsFile read_checked(const StudyCell& cell, const Evaluation& evaluation) const;
  // Hash of the file; for packed predictions, of the original file.
  std::string sha256(const std::string& file) const;
  bool has(const std::string& file) const;
  bool is_packed(const std::string& file) const;

 private:
  std::filesystem::path workspace_;
  std::optional<PackedPredictions> packed_;
};

}  // namespace remixer::reports
