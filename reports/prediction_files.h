// SPDX-License-Identifier: Apache-2.0
// The stored predictions of a workspace: each in its run's folder or, in an exported workspace, all
// packed in one file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/packed_predictions.h"

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
  // Of the file; of packed ones, of the file that they were packed from.
  std::string sha256(const std::string& file) const;
  bool has(const std::string& file) const;
  bool is_packed(const std::string& file) const;

 private:
  std::filesystem::path workspace_;
  std::optional<PackedPredictions> packed_;
};

}  // namespace remixer::reports
