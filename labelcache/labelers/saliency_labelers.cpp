// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/div.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sub.h>

#include "labelcache/labelers/labelers.h"

namespace remixer::labelcache {
std::vector<data::LabelMap> SaliencyLabeler::label(const std::vector<LabelInput>& batch) const {
  const at::NoGradGuard no_grad;
  std::vector<data::LabelMap> maps(batch.size());
  for (const InputGroup& group : network_inputs(batch, input_)) {
    const at::Tensor saliency =
        network_(group.pixels, [](const at::Tensor& maps) { return maps.cpu(); });
    for (size_t i = 0; i < group.places.size(); ++i) {
      const size_t place = group.places[i];
      maps[place] = saliency_map(saliency.select(0, static_cast<int64_t>(i)).select(0, 0),
                                 batch[place].image);
    }
  }
  return maps;
}

SaliencyLabeler u2net_labeler(int64_t input_size, bool lanczos,
                              const std::filesystem::path& weights, at::Device device) {
  const auto network = std::make_shared<const U2Net>(weights, device);
  const at::Tensor mean = per_channel({0.485, 0.456, 0.406}, device);
  const at::Tensor deviation = per_channel({0.229, 0.224, 0.225}, device);
  return {{.side = input_size, .lanczos = lanczos},
          8,
          network->source_sha256(),
          {device, [network, mean, deviation](const at::Tensor& pixels) {
             const at::Tensor largest = pixels.amax({1, 2, 3}, true).clamp_min(kTiny);
             return stretched(network->forward((pixels / largest - mean) / deviation));
           }}};
}

SaliencyLabeler bigbigan_labeler(int64_t short_edge, int64_t threshold, bool unit_range,
                                 const std::filesystem::path& weights, at::Device device) {
  const auto network = std::make_shared<const UNet>(weights, device);
  return {{.side = short_edge, .keep_aspect = true, .cut_off = true},
          8,
          network->source_sha256(),
          {device, [network, threshold, unit_range](const at::Tensor& pixels) {
             const at::Tensor input = unit_range ? pixels / 255 : pixels / 127.5 - 1;
             const at::Tensor logits = network->forward(input);
             const at::Tensor saliency = 1 - logits.softmax(1).narrow(1, 0, 1);
             if (threshold == 0) return saliency;
             return saliency.gt(static_cast<double>(threshold) / 100).to(at::kFloat);
           }}};
}

SaliencyLabeler script_saliency_labeler(ScriptDescription description, at::Device device) {
  const auto model = std::make_shared<const ScriptModel>(std::move(description), device);
  return {model->description().input,
          static_cast<int>(model->description().batch),
          model->description().sha256(),
          {device, [model](const at::Tensor& pixels) { return model->saliency(pixels); }}};
}

}  // namespace remixer::labelcache
