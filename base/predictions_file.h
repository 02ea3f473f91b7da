// SPDX-License-Identifier: Apache-2.0
// Reads and writes the file of stored predictions (docs/evaluation.md).
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/predictions.h"

namespace remixer {

// Predictions on one split, by kind of weights ("raw", "ema", "best").
struct PredictionsFile {
  std::map<std::string, Predictions> by_weights;
  Truth truth;
  std::string eval_set;
  std::string dataset_sha256;  // the dataset's content hash
  std::string cell;            // its id; empty for imported weights
  // False if an older version wrote the file, which kept only the labels of the truth: what else
  // counts as right (`truth`'s other members) is then unknown.
  bool whole_truth = true;
};

// Writes a safetensors file, atomically.
void write_predictions(const std::filesystem::path& path, const PredictionsFile& file);

// Throws InputError naming the file if it is not a predictions file or contradicts itself. On
// return, all predictions cover as many images as there are labels, at least one, and all class and
// image numbers are in range.
PredictionsFile read_predictions(const std::filesystem::path& path);

}  // namespace remixer
