// SPDX-License-Identifier: Apache-2.0
// Predictions and truth as named tensors, shared by the two files of stored predictions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/predictions.h"
#include "base/safetensors_file.h"

namespace remixer {

// Owns the values that tensors refer to. Must outlive writing them.
struct TensorColumns {
  std::map<std::string, std::vector<uint8_t>> narrow;
  std::map<std::string, std::vector<int32_t>> wide;
};

// The `kept` likeliest classes of each image, [images, kept], as tensor `name`: U8, or I32 beyond
// 256 classes. `kept` is at most predictions.kept.
void add_classes(const std::string& name, const Predictions& predictions, int64_t kept,
                 TensorColumns& columns, std::vector<TensorSource>& tensors);

// For a model with `model_classes` classes; logits and normalizers stay empty. Throws InputError
// naming the file if tensor `name` is not [images, kept >= 1] or a class is out of range.
Predictions read_classes(const SafetensorsFile& file, const std::string& name,
                         int64_t model_classes, int64_t images);

// The truth as tensors whose names begin with `prefix`. `truth` must outlive writing them.
void add_truth(const std::string& prefix, const Truth& truth, TensorColumns& columns,
               std::vector<TensorSource>& tensors);

// Throws InputError naming the file if the tensors contradict each other, hold no image, or name an
// image or class that is out of range.
Truth read_truth(const SafetensorsFile& file, const std::string& prefix, int64_t model_classes);

}  // namespace remixer
