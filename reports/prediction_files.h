// SPDX-License-Identifier: Apache-2.0
// The stored predictions of a workspace: each in its run's folder or, in an exported workspace, all
// packed in one file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/packed_predictions.h"
#include "reports/study.h"

namespace remixer::reports {

// Where `remixer export` puts the packed predictions, below the workspace.
inline constexpr const char* kPackedPredictions = "predictions.packed";

// One thread an object.
class PredictionFiles {
 public:
  // Throws InputError where there are packed predictions that cannot be read.
  explicit PredictionFiles(std::filesystem::path workspace);

  // Files go by their place below the workspace. Throws InputError naming the file where it is not
  // there or cannot be read.
  PredictionsFile read(const std::string& file) const;
  // Those of a finished evaluation. Throws InputError as read(), and where they are not the ones
  // that it wrote (hash, cell, set) or do not say all that counts as right.
  PredictionsFile read_checked(const StudyCell& cell, const Evaluation& evaluation) const;
  // Of the file; of packed ones, of the file that they were packed from.
  std::string sha256(const std::string& file) const;
  bool has(const std::string& file) const;
  bool is_packed(const std::string& file) const;

 private:
  std::filesystem::path workspace_;
  std::optional<PackedPredictions> packed_;
};

}  // namespace remixer::reports
