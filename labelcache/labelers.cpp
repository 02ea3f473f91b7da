#include "labelcache/labelers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/div.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>

#include <algorithm>

#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/data/grabcut.h"

namespace remixer::labelcache {
namespace {

// The batch's images at size × size pixels: [B, 3, size, size], float, 0 to 255, channels last in
// memory, as images are and as convolutions run fastest.
at::Tensor resized(const std::vector<LabelInput>& batch, int64_t size) {
  at::Tensor pixels = at::empty({static_cast<int64_t>(batch.size()), size, size, 3}, at::kFloat);
  float* out = pixels.data_ptr<float>();
  for (const LabelInput& input : batch) {
    const auto image = data::resize(input.image, static_cast<int>(size), static_cast<int>(size));
    out = std::copy(image.pixels.begin(), image.pixels.end(), out);
  }
  return pixels.permute({0, 3, 1, 2});
}

// Values of a contiguous float tensor.
std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.contiguous();
  const float* data = plain.const_data_ptr<float>();
  return {data, data + plain.numel()};
}

// What is divided by where a whole image is black, or a whole map flat.
constexpr double kTiny = 1e-12;

}  // namespace

SaliencyLabeler::SaliencyLabeler(int64_t input_size, const std::filesystem::path& weights)
    : network_(weights / "u2netp.safetensors"), input_size_(input_size) {}

std::vector<data::LabelMap> SaliencyLabeler::label(const std::vector<LabelInput>& batch) const {
  const at::NoGradGuard no_grad;
  const at::Tensor mean = at::tensor({0.485f, 0.456f, 0.406f}).view({1, 3, 1, 1});
  const at::Tensor deviation = at::tensor({0.229f, 0.224f, 0.225f}).view({1, 3, 1, 1});
  at::Tensor x = resized(batch, input_size_);
  x = (x / x.amax({1, 2, 3}, true).clamp_min(kTiny) - mean) / deviation;
  at::Tensor y = network_.forward(x);
  const at::Tensor lowest = y.amin({1, 2, 3}, true), highest = y.amax({1, 2, 3}, true);
  y = (y - lowest) / (highest - lowest).clamp_min(kTiny);

  std::vector<data::LabelMap> maps;
  for (size_t i = 0; i < batch.size(); ++i) {
    const data::Image& image = batch[i].image;
    data::LabelMap map;
    map.height = static_cast<int>(std::min<int64_t>(image.height, input_size_));
    map.width = static_cast<int>(std::min<int64_t>(image.width, input_size_));
    map.values = values_of(
        at::adaptive_avg_pool2d(y.select(0, static_cast<int64_t>(i)), {map.height, map.width}));
    maps.push_back(std::move(map));
  }
  return maps;
}

RelabelLabeler::RelabelLabeler(int64_t input_size, int64_t top_k,
                               const std::filesystem::path& weights)
    : network_(weights / "efficientnet_lite0.safetensors"),
      input_size_(input_size),
      top_k_(top_k) {}

MapShape RelabelLabeler::shape() const {
  return {EfficientNet::kClasses, static_cast<int>(top_k_)};
}

std::vector<data::LabelMap> RelabelLabeler::label(const std::vector<LabelInput>& batch) const {
  const at::NoGradGuard no_grad;
  const at::Tensor logits = network_.forward((resized(batch, input_size_) - 127) / 128);
  const auto [values, classes] = at::topk(logits.permute({0, 2, 3, 1}).contiguous(), top_k_);
  std::vector<data::LabelMap> maps;
  for (size_t i = 0; i < batch.size(); ++i) {
    data::LabelMap map;
    map.height = static_cast<int>(logits.size(2));
    map.width = static_cast<int>(logits.size(3));
    map.channels = EfficientNet::kClasses;
    map.top_k = static_cast<int>(top_k_);
    map.values = values_of(values.select(0, static_cast<int64_t>(i)));
    const at::Tensor chosen = classes.select(0, static_cast<int64_t>(i)).contiguous();
    const int64_t* data = chosen.const_data_ptr<int64_t>();
    map.indices.assign(data, data + chosen.numel());
    maps.push_back(std::move(map));
  }
  return maps;
}

std::vector<data::LabelMap> BboxGrabcutLabeler::label(const std::vector<LabelInput>& batch) const {
  std::vector<data::LabelMap> maps;
  for (const LabelInput& input : batch) {
    data::LabelMap map;
    map.height = input.image.height;
    map.width = input.image.width;
    map.values.assign(static_cast<size_t>(map.height) * map.width, 0.0f);
    if (input.sample.box) {
      Random random(0, RandomPurpose::kLabel, xxh3(input.sample.id));
      const uint64_t seed = (uint64_t{random.next_u32()} << 32) | random.next_u32();
      const data::GrayImage mask =
          data::grabcut(input.image, *input.sample.box, static_cast<double>(scale_), seed);
      std::transform(mask.pixels.begin(), mask.pixels.end(), map.values.begin(),
                     [](uint8_t pixel) { return static_cast<float>(pixel) / 255.0f; });
    }
    maps.push_back(std::move(map));
  }
  return maps;
}

}  // namespace remixer::labelcache
