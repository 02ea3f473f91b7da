// SPDX-License-Identifier: Apache-2.0
#include "labelcache/networks/efficientnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sub.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "labelcache/networks/weights.h"

namespace remixer::labelcache {
namespace {

constexpr double kBatchNormEpsilon = 1e-3;

struct StageShape {
  int repeats;
  int64_t kernel, stride, expansion, channels;  // `stride` applies to the first block
};
constexpr StageShape kStages[] = {{1, 3, 1, 1, 16}, {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40},
                                  {3, 3, 2, 6, 80}, {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192},
                                  {1, 3, 1, 6, 320}};
constexpr int64_t kStemChannels = 32, kHeadChannels = 1280;

// TensorFlow's "same" padding of one axis: enough for ceil(size / stride) outputs, with an odd
// pixel at the end.
std::pair<int64_t, int64_t> same_padding(int64_t size, int64_t kernel, int64_t stride) {
  const int64_t outputs = (size + stride - 1) / stride;
  const int64_t missing = std::max<int64_t>((outputs - 1) * stride + kernel - size, 0);
  return {missing / 2, missing - missing / 2};
}

at::Tensor relu6_(at::Tensor x) {
  return x.clamp_(0, 6);
}

}  // namespace

at::Tensor EfficientNet::Convolution::operator()(const at::Tensor& x) const {
  const auto [top, bottom] = same_padding(x.size(2), weight.size(2), stride);
  const auto [left, right] = same_padding(x.size(3), weight.size(3), stride);
  const bool even = top == bottom && left == right;
  const std::array<int64_t, 2> strides{stride, stride}, dilations{1, 1};
  const std::array<int64_t, 2> padding{even ? top : 0, even ? left : 0};
  const at::Tensor input = even ? x : at::constant_pad_nd(x, {left, right, top, bottom}, 0);
  return at::conv2d(input, weight, bias, at::IntArrayRef(strides), at::IntArrayRef(padding),
                    at::IntArrayRef(dilations), groups);
}

// Batch norms are folded on the CPU, so that weights are the same on every device.
EfficientNet::EfficientNet(const std::filesystem::path& weights, at::Device device) {
  const at::NoGradGuard no_grad;
  const NetworkWeights file(weights);
  source_sha256_ = file.source_sha256();

  // A convolution and the batch norm after it, as one convolution.
  const auto folded = [&](const std::string& name, int64_t out, int64_t in, int64_t kernel) {
    const auto norm = [&](const char* part) { return file.tensor(name + ".bn." + part, {out}); };
    const at::Tensor scale = norm("weight") * (norm("running_var") + kBatchNormEpsilon).rsqrt();
    Convolution convolution;
    convolution.weight =
        (file.tensor(name + ".conv.weight", {out, in, kernel, kernel}) * scale.view({out, 1, 1, 1}))
            .contiguous(at::MemoryFormat::ChannelsLast)
            .to(device);
    convolution.bias = (norm("bias") - norm("running_mean") * scale).to(device);
    return convolution;
  };

  stem_ = folded("stem", kStemChannels, 3, 3);
  stem_.stride = 2;
  int64_t channels = kStemChannels;
  for (const StageShape& stage : kStages) {
    for (int repeat = 0; repeat < stage.repeats; ++repeat) {
      const std::string name = fmt::format("blocks.{}.", blocks_.size());
      const int64_t wide = channels * stage.expansion;
      Block block;
      if (stage.expansion > 1) block.expand = folded(name + "expand", wide, channels, 1);
      block.depthwise = folded(name + "depthwise", wide, 1, stage.kernel);
      block.depthwise.groups = wide;
      block.depthwise.stride = repeat == 0 ? stage.stride : 1;
      block.project = folded(name + "project", stage.channels, wide, 1);
      block.residual = block.depthwise.stride == 1 && channels == stage.channels;
      blocks_.push_back(std::move(block));
      channels = stage.channels;
    }
  }
  head_ = folded("head", kHeadChannels, channels, 1);
  classifier_.weight = file.tensor("classifier.weight", {kClasses, kHeadChannels})
                           .view({kClasses, kHeadChannels, 1, 1})
                           .contiguous(at::MemoryFormat::ChannelsLast)
                           .to(device);
  classifier_.bias = file.tensor("classifier.bias", {kClasses}).to(device);
}

at::Tensor EfficientNet::forward(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  at::Tensor x = relu6_(stem_(images.contiguous(at::MemoryFormat::ChannelsLast)));
  for (const Block& block : blocks_) {
    at::Tensor y = block.expand.weight.defined() ? relu6_(block.expand(x)) : x;
    y = block.project(relu6_(block.depthwise(y)));
    x = block.residual ? y.add_(x) : y;
  }
  return classifier_(relu6_(head_(x)));
}

}  // namespace remixer::labelcache
