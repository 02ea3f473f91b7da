// SPDX-License-Identifier: Apache-2.0
// Reads and writes the file of saliency maps (docs/evaluation.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace remixer {

// n images, S pixels a side, cut into G × G patches. Rows are top to bottom.
struct SaliencyFile {
  std::string cell;  // its id; empty for imported weights
  std::string eval_set, dataset_sha256;
  std::string method;     // "chefer": through attention; "grad_cam": by the last activations
  std::string explained;  // whose logit is explained: "label", the image's, or "answer"
  std::vector<std::string> samples;           // [n] ids
  std::vector<std::string> classes, answers;  // [n] names: the image's class, the model's answer
  std::vector<uint8_t> right;                 // [n] 1 if the answer is right
  int64_t side = 0, grid = 0;                 // S, G
  std::vector<uint8_t> images;                // [n, S, S, 3] RGB, as the model saw them
  std::vector<float> maps;                    // [n, G, G], >= 0, on no fixed scale
  // The model's patch labels; both empty for a plain model. With one channel: its value in [0, 1],
  // no classes. With several: the likeliest channel and its share.
  std::vector<float> patch_values;     // [n, G, G]
  std::vector<int32_t> patch_classes;  // [n, G, G] or empty

  int64_t size() const { return static_cast<int64_t>(samples.size()); }
};

// Writes a safetensors file, atomically.
void write_saliency(const std::filesystem::path& path, const SaliencyFile& file);

// Throws InputError naming the file if it is not a saliency file or contradicts itself.
SaliencyFile read_saliency(const std::filesystem::path& path);

}  // namespace remixer
