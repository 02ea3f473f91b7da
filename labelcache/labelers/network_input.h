// SPDX-License-Identifier: Apache-2.0
// Converts images to the labelers' network inputs, and network outputs to label maps.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "labelcache/labelers/labeler.h"

namespace remixer::labelcache {

// The input size of a network: the image squashed to side × side pixels, or resized to shorter edge
// `side` with its aspect kept.
struct InputSize {
  int64_t side = 0;
  bool keep_aspect = false;
  // The longer edge is truncated to whole pixels, like torchvision; else rounded.
  bool cut_off = false;
  // Resized by Lanczos, like Pillow; else by area averaging.
  bool lanczos = false;
  // Height and width.
  std::pair<int, int> of(const data::Image& image) const;
};

// Images of one batch with the same input size: their indices in the batch, and their pixels
// [n, 3, height, width], float, 0 to 255, in main memory; channels-last, a CPU's fastest layout for
// convolutions.
struct InputGroup {
  std::vector<size_t> places;
  at::Tensor pixels;
};
// Groups in the order of their first image. Every image is in exactly one.
std::vector<InputGroup> network_inputs(const std::vector<LabelInput>& batch, const InputSize& size);

// Smallest divisor, for black images and constant maps.
constexpr double kTiny = 1e-12;

// Three values as [1, 3, 1, 1], float, on `device`: to normalise images by channel.
at::Tensor per_channel(const std::array<double, 3>& values, at::Device device);

// Values of a float tensor in main memory, row by row.
std::vector<float> values_of(const at::Tensor& tensor);

// Converts saliency [height, width] to a dense map of the image's size, or of the network's if that
// is smaller.
data::LabelMap saliency_map(const at::Tensor& saliency, const data::Image& image);

// [B, 1, H, W], each map stretched to [0, 1] by its own minimum and maximum.
at::Tensor stretched(const at::Tensor& maps);

// Top-k maps of logits [B, K, h, w], one per image; a k above K means K. The largest are found on
// the logits' device, and only they are copied from it.
std::vector<data::LabelMap> top_k_maps(const at::Tensor& logits, int64_t top_k);

// Converts logits of ImageNet's 1000 classes to those of ImageNet-9's nine and, as the tenth, of
// all other classes: a softmax over the ten gives the sums of the thousand's probabilities.
// [B, 1000, h, w] → [B, 10, h, w].
at::Tensor nine_class_logits(const at::Tensor& logits, const std::vector<at::Tensor>& members);
constexpr int kNineClassChannels = 10;
// Which of the thousand classes each of the ten consists of, on `device`.
std::vector<at::Tensor> nine_class_members(at::Device device);

}  // namespace remixer::labelcache
