// Answers in a file, documented in docs/evaluation.md.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/evaluation/answers.h"

namespace remixer::evaluation {

// Which answers a file holds: of a split, by kind of weights ("raw", "ema").
struct AnswersFile {
  std::map<std::string, Answers> by_weights;
  std::vector<int32_t> labels;  // each image's label in the set
  std::string eval_set;
  std::string dataset_sha256;  // the dataset's content hash
  std::string cell;            // its id; empty of imported weights
};

// Writes a safetensors file, atomically: `<weights>.classes` [n, K] (U8 up to 256 classes, else
// I32), `<weights>.logits` [n, K] F32, `<weights>.normalizer` [n] F32, and `labels` [n] I32.
void write_answers(const std::filesystem::path& path, const AnswersFile& file);

// Throws InputError naming the file where it is none of these, or contradicts itself.
AnswersFile read_answers(const std::filesystem::path& path);

}  // namespace remixer::evaluation
