// SPDX-License-Identifier: Apache-2.0
// Images as the labelers' networks take them, and networks' answers as label maps.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "labelcache/labelers/labeler.h"

namespace remixer::labelcache {

// The size at which a network sees an image: squashed to side × side pixels, or with its aspect
// kept, the shorter edge `side`.
struct InputSize {
  int64_t side = 0;
  bool keep_aspect = false;
  // The longer edge's fraction of a pixel is cut off, as torchvision does; else rounded.
  bool cut_off = false;
  // By Lanczos, as Pillow; else by areas.
  bool lanczos = false;
  // Height and width.
  std::pair<int, int> of(const data::Image& image) const;
};

// Images of one batch that a network sees at one size: their places in the batch, and their pixels
// [n, 3, height, width], float, 0 to 255, channels last in memory, as convolutions run fastest.
struct InputGroup {
  std::vector<size_t> places;
  at::Tensor pixels;
};
// Groups in the order of their first image. Every image is in one.
std::vector<InputGroup> network_inputs(const std::vector<LabelInput>& batch, const InputSize& size);

// What is divided by where a whole image is black, or a whole map flat.
constexpr double kTiny = 1e-12;

// Values of a float tensor, row by row.
std::vector<float> values_of(const at::Tensor& tensor);

// A dense map of saliency [height, width]: of the image's size, or of the network's where that is
// smaller.
data::LabelMap saliency_map(const at::Tensor& saliency, const data::Image& image);

// [B, 1, H, W] stretched to [0, 1], each by its own extremes.
at::Tensor stretched(const at::Tensor& maps);

// Top-k maps of logits [B, K, h, w], one an image; a k above K is K.
std::vector<data::LabelMap> top_k_maps(const at::Tensor& logits, int64_t top_k);

// Logits of ImageNet's 1000 classes as those of ImageNet-9's nine and, tenth, of all the rest: a
// softmax over the ten gives the sums of the thousand's probabilities. [B, 1000, h, w] →
// [B, 10, h, w].
at::Tensor nine_class_logits(const at::Tensor& logits);
constexpr int kNineClassChannels = 10;

}  // namespace remixer::labelcache
