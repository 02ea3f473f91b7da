// SPDX-License-Identifier: Apache-2.0
// How published ImageNet weights want to be evaluated, as timm's configurations say. Immutable;
// thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace remixer::models {

struct PublishedWeights {
  std::string name;  // the checkpoint's, as timm calls it
  std::string architecture;
  std::array<float, 3> mean, deviation;
  double crop;
  std::string interpolation;
};

// All that are known. An architecture's own come before its other ones.
const std::vector<PublishedWeights>& published_weights();

// Those called `checkpoint`; where that is empty, those whose name the file's name holds, else the
// architecture's own, else ImageNet's usual values (mean and deviation of its pixels, crop 0.875,
// bicubic). `image_size`: what the weights were made for; DeiT-B at 384 pixels has a crop of its
// own. Throws InputError where `checkpoint` is unknown or of another architecture.
PublishedWeights find_published(const std::string& architecture, int64_t image_size,
                                const std::string& file_name, const std::string& checkpoint);

}  // namespace remixer::models
