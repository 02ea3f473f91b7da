// SPDX-License-Identifier: Apache-2.0
#include "labelcache/labelers/network_input.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/div.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/dataset/imagenet_classes.h"
#include "core/image/resample.h"

namespace remixer::labelcache {
std::pair<int, int> InputSize::of(const data::Image& image) const {
  const auto length = [&](int edge) {
    if (!keep_aspect) return static_cast<int>(side);
    const int shorter = std::min(image.width, image.height);
    const double length = static_cast<double>(edge) * static_cast<double>(side) / shorter;
    return cut_off ? static_cast<int>(length) : static_cast<int>(std::lround(length));
  };
  return {length(image.height), length(image.width)};
}

std::vector<InputGroup> network_inputs(const std::vector<LabelInput>& batch,
                                       const InputSize& size) {
  std::vector<std::pair<int, int>> sizes;
  std::vector<InputGroup> groups;
  for (size_t place = 0; place < batch.size(); ++place) {
    const auto wanted = size.of(batch[place].image);
    const auto known = std::find(sizes.begin(), sizes.end(), wanted);
    if (known == sizes.end()) {
      sizes.push_back(wanted);
      groups.push_back({{place}, {}});
    } else {
      groups[static_cast<size_t>(known - sizes.begin())].places.push_back(place);
    }
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    const auto [height, width] = sizes[g];
    at::Tensor pixels =
        at::empty({static_cast<int64_t>(groups[g].places.size()), height, width, 3}, at::kFloat);
    float* out = pixels.data_ptr<float>();
    for (const size_t place : groups[g].places) {
      const data::Image& source = batch[place].image;
      const data::Rectangle whole{0, 0, source.width, source.height};
      const data::Image image =
          size.lanczos
              ? data::resample(
                    source, {whole, width, height, {0, 0, width, height}, data::Filter::kLanczos})
              : data::resize(source, width, height);
      out = std::copy(image.pixels.begin(), image.pixels.end(), out);
    }
    groups[g].pixels = pixels.permute({0, 3, 1, 2});
  }
  return groups;
}

at::Tensor per_channel(const std::array<double, 3>& values, at::Device device) {
  return at::tensor({values[0], values[1], values[2]}, at::kDouble)
      .to(at::kFloat)
      .view({1, 3, 1, 1})
      .to(device);
}

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.contiguous();
  const float* data = plain.const_data_ptr<float>();
  return {data, data + plain.numel()};
}

data::LabelMap saliency_map(const at::Tensor& saliency, const data::Image& image) {
  data::LabelMap map;
  map.height = static_cast<int>(std::min<int64_t>(image.height, saliency.size(0)));
  map.width = static_cast<int>(std::min<int64_t>(image.width, saliency.size(1)));
  map.values = values_of(at::adaptive_avg_pool2d(saliency.unsqueeze(0), {map.height, map.width}));
  return map;
}

at::Tensor stretched(const at::Tensor& maps) {
  const at::Tensor lowest = maps.amin({1, 2, 3}, true), highest = maps.amax({1, 2, 3}, true);
  return (maps - lowest) / (highest - lowest).clamp_min(kTiny);
}

std::vector<data::LabelMap> top_k_maps(const at::Tensor& logits, int64_t top_k) {
  top_k = std::min(top_k, logits.size(1));
  const auto found = at::topk(logits.permute({0, 2, 3, 1}).contiguous(), top_k);
  const at::Tensor values = std::get<0>(found).cpu(), classes = std::get<1>(found).cpu();
  std::vector<data::LabelMap> maps;
  for (int64_t i = 0; i < logits.size(0); ++i) {
    data::LabelMap map;
    map.height = static_cast<int>(logits.size(2));
    map.width = static_cast<int>(logits.size(3));
    map.channels = static_cast<int>(logits.size(1));
    map.top_k = static_cast<int>(top_k);
    map.values = values_of(values.select(0, i));
    const at::Tensor chosen = classes.select(0, i).contiguous();
    const int64_t* data = chosen.const_data_ptr<int64_t>();
    map.indices.assign(data, data + chosen.numel());
    maps.push_back(std::move(map));
  }
  return maps;
}

std::vector<at::Tensor> nine_class_members(at::Device device) {
  std::vector<std::vector<int64_t>> labels(kNineClassChannels);
  for (int64_t label = 0; label < data::kImageNetClasses; ++label) {
    const int nine = data::imagenet_classes()[static_cast<size_t>(label)].imagenet9;
    labels[static_cast<size_t>(nine < 0 ? kNineClassChannels - 1 : nine)].push_back(label);
  }
  std::vector<at::Tensor> members;
  for (const auto& list : labels) members.push_back(at::tensor(list, at::kLong).to(device));
  return members;
}

at::Tensor nine_class_logits(const at::Tensor& logits, const std::vector<at::Tensor>& members) {
  std::vector<at::Tensor> sums;
  for (const at::Tensor& labels : members) {
    sums.push_back(at::logsumexp(logits.index_select(1, labels), {1}));
  }
  return at::stack(sums, 1);
}

}  // namespace remixer::labelcache
