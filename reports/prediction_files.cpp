// SPDX-License-Identifier: Apache-2.0
#include "reports/prediction_files.h"

#include "base/hash.h"

namespace remixer::reports {

namespace fs = std::filesystem;

PredictionFiles::PredictionFiles(fs::path workspace) : workspace_(std::move(workspace)) {
  std::error_code none;
  const fs::path packed = workspace_ / kPackedPredictions;
  if (fs::exists(packed, none)) packed_.emplace(packed);
}

bool PredictionFiles::has(const std::string& file) const {
  std::error_code none;
  return fs::is_regular_file(workspace_ / file, none) || is_packed(file);
}

bool PredictionFiles::is_packed(const std::string& file) const {
  std::error_code none;
  return packed_ && packed_->has(file) && !fs::exists(workspace_ / file, none);
}

PredictionsFile PredictionFiles::read(const std::string& file) const {
  return is_packed(file) ? packed_->read(file) : read_predictions(workspace_ / file);
}

std::string PredictionFiles::sha256(const std::string& file) const {
  return is_packed(file) ? packed_->sha256(file) : sha256_file(workspace_ / file);
}

}  // namespace remixer::reports
