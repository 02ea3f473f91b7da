// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/div.h>
#include <ATen/ops/sub.h>

#include "base/error.h"
#include "core/dataset/imagenet_classes.h"
#include "labelcache/labelers/labelers.h"

namespace remixer::labelcache {

RelabelLabeler::RelabelLabeler(InputSize input, int batch, int64_t channels, int64_t top_k,
                               bool nine_classes, std::string weights_sha256,
                               NetworkOnDevice network)
    : input_(input),
      batch_(batch),
      channels_(channels),
      top_k_(std::min(top_k, channels)),
      weights_sha256_(std::move(weights_sha256)),
      network_(std::move(network)) {
  if (!nine_classes) return;
  if (channels != data::kImageNetClasses) {
    fail_input("nine classes can be made of ImageNet's 1000 only; the network has {}", channels);
  }
  channels_ = top_k_ = kNineClassChannels;
  nine_class_members_ = nine_class_members(network_.device());
}

MapShape RelabelLabeler::shape() const {
  return {static_cast<int>(channels_), static_cast<int>(top_k_)};
}

std::vector<data::LabelMap> RelabelLabeler::label(const std::vector<LabelInput>& batch) const {
  const at::NoGradGuard no_grad;
  std::vector<data::LabelMap> maps(batch.size());
  for (const InputGroup& group : network_inputs(batch, input_)) {
    std::vector<data::LabelMap> made = network_(group.pixels, [&](const at::Tensor& logits) {
      return top_k_maps(
          nine_class_members_.empty() ? logits : nine_class_logits(logits, nine_class_members_),
          top_k_);
    });
    for (size_t i = 0; i < made.size(); ++i) maps[group.places[i]] = std::move(made[i]);
  }
  return maps;
}

RelabelLabeler efficientnet_labeler(int64_t input_size, int64_t top_k, bool nine_classes,
                                    const std::filesystem::path& weights, at::Device device) {
  const auto network = std::make_shared<const EfficientNet>(weights, device);
  return {{input_size, false},
          8,
          EfficientNet::kClasses,
          top_k,
          nine_classes,
          network->source_sha256(),
          {device,
           [network](const at::Tensor& pixels) { return network->forward((pixels - 127) / 128); }}};
}

RelabelLabeler script_relabel_labeler(ScriptDescription description, int64_t top_k,
                                      bool nine_classes, at::Device device) {
  const auto model = std::make_shared<const ScriptModel>(std::move(description), device);
  if (model->channels() > 65536) {
    fail_input("{}: {} classes; at most 65536 can be stored", model->description().model.string(),
               model->channels());
  }
  return {model->description().input,
          static_cast<int>(model->description().batch),
          model->channels(),
          top_k,
          nine_classes,
          model->description().sha256(),
          {device, [model](const at::Tensor& pixels) { return model->output(pixels); }}};
}

}  // namespace remixer::labelcache
