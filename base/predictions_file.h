// SPDX-License-Identifier: Apache-2.0
// Reads and writes the file of stored predictions (docs/evaluation.md).
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/predictions.h"

namespace remixer {

// Of one split, by kind of weights ("raw", "ema", "best").
struct PredictionsFile {
  std::map<std::string, Predictions> by_weights;
  Truth truth;
  std::string eval_set;
  std::string dataset_sha256;  // the dataset's content hash
  std::string cell;            // its id; empty of imported weights
  // False of a file by a version that kept no more of the truth than the labels: what else counts
  // as right (`truth`'s other members) is then not known.
  bool whole_truth = true;
};

// Writes a safetensors file, atomically.
void write_predictions(const std::filesystem::path& path, const PredictionsFile& file);

// Throws InputError naming the file where it is none of these, or contradicts itself: on return all
// predictions are of as many images as there are labels, at least one, and every number of a class
// or an image is in range.
PredictionsFile read_predictions(const std::filesystem::path& path);

}  // namespace remixer
