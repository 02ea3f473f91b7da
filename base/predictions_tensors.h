// SPDX-License-Identifier: Apache-2.0
// Predictions and truth as named tensors: what the files of stored predictions share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/predictions.h"
#include "base/safetensors_file.h"

namespace remixer {

// Tensors look into what they are made of; this keeps it. It outlives their writing.
struct TensorColumns {
  std::map<std::string, std::vector<uint8_t>> narrow;
  std::map<std::string, std::vector<int32_t>> wide;
};

// The `kept` likeliest classes of each image, [images, kept], as tensor `name`: U8, beyond 256
// classes I32. `kept` is at most predictions.kept.
void add_classes(const std::string& name, const Predictions& predictions, int64_t kept,
                 TensorColumns& columns, std::vector<TensorSource>& tensors);

// Of a model with so many classes; logits and normalizers are left empty. Throws InputError naming
// the file where tensor `name` is not [images, kept >= 1] of its classes.
Predictions read_classes(const SafetensorsFile& file, const std::string& name,
                         int64_t model_classes, int64_t images);

// The truth as tensors whose names begin with `prefix`; it outlives their writing.
void add_truth(const std::string& prefix, const Truth& truth, TensorColumns& columns,
               std::vector<TensorSource>& tensors);

// Throws InputError naming the file where they contradict each other, are of no image, or name an
// image or a class that cannot be.
Truth read_truth(const SafetensorsFile& file, const std::string& prefix, int64_t model_classes);

}  // namespace remixer
