// SPDX-License-Identifier: Apache-2.0
// Evaluation settings of published ImageNet weights, from timm's configurations. Immutable;
// thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace remixer::models {

struct PublishedWeights {
  std::string name;  // the checkpoint's name in timm
  std::string architecture;
  std::array<float, 3> mean, deviation;
  double crop;
  std::string interpolation;
};

// All known checkpoints. An architecture's own comes before its other ones.
const std::vector<PublishedWeights>& published_weights();

// The settings of `checkpoint`; if that is empty, of the checkpoint whose name the file's name
// contains, else the architecture's own, else ImageNet's usual values (pixel mean and deviation,
// crop 0.875, bicubic). `image_size`: what the weights were made for; DeiT-B at 384 pixels has
// another crop. Throws InputError if `checkpoint` is unknown or belongs to another architecture.
PublishedWeights find_published(const std::string& architecture, int64_t image_size,
                                const std::string& file_name, const std::string& checkpoint);

}  // namespace remixer::models
