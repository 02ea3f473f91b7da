// SPDX-License-Identifier: Apache-2.0
#include "labelcache/networks/unet.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "base/error.h"
#include "labelcache/networks/weights.h"

namespace remixer::labelcache {
namespace {

constexpr double kNormEpsilon = 1e-5;
constexpr int64_t kWidths[] = {64, 128, 256, 512, 512};

// x upsampled to twice its size, then zero-padded on all sides to the size of `like`.
at::Tensor enlarged(const at::Tensor& x, const at::Tensor& like) {
  const int64_t height = 2 * x.size(2), width = 2 * x.size(3);
  const at::Tensor y = at::upsample_bilinear2d(x, {height, width}, /*align_corners=*/true);
  const int64_t rows = like.size(2) - height, columns = like.size(3) - width;
  if (rows == 0 && columns == 0) return y;
  return at::constant_pad_nd(y, {columns / 2, columns - columns / 2, rows / 2, rows - rows / 2});
}

}  // namespace

// Batch norms are folded on the CPU, so that weights are the same on every device.
UNet::UNet(const std::filesystem::path& weights, at::Device device) {
  const NetworkWeights file(weights);
  source_sha256_ = file.source_sha256();
  // Convolution `number` of a pair, with the batch norm after it folded in.
  const auto folded = [&](const std::string& stage, int number, int64_t in, int64_t out) {
    const std::string convolution = fmt::format("{}.{}.", stage, 3 * number);
    const std::string norm = fmt::format("{}.{}.", stage, 3 * number + 1);
    const auto vector = [&](const std::string& name) { return file.tensor(name, {out}); };
    const at::Tensor scale =
        vector(norm + "weight") * (vector(norm + "running_var") + kNormEpsilon).rsqrt();
    Convolution result;
    result.weight =
        (file.tensor(convolution + "weight", {out, in, 3, 3}) * scale.view({-1, 1, 1, 1}))
            .contiguous(at::MemoryFormat::ChannelsLast)
            .to(device);
    result.bias = (vector(norm + "bias") +
                   (vector(convolution + "bias") - vector(norm + "running_mean")) * scale)
                      .to(device);
    return result;
  };
  const auto pair = [&](const std::string& stage, int64_t in, int64_t out) -> Pair {
    return {folded(stage, 0, in, out), folded(stage, 1, out, out)};
  };
  first_ = pair("inc", 3, kWidths[0]);
  for (size_t level = 0; level < 4; ++level) {
    down_[level] = pair(fmt::format("down{}", level + 1), kWidths[level], kWidths[level + 1]);
  }
  int64_t channels = kWidths[4];
  for (size_t level = 0; level < 4; ++level) {
    const int64_t skip = kWidths[3 - level], out = level == 3 ? kWidths[0] : kWidths[2 - level];
    up_[level] = pair(fmt::format("up{}", level + 1), channels + skip, out);
    channels = out;
  }
  out_.weight = file.tensor("outc.weight", {2, kWidths[0], 1, 1})
                    .contiguous(at::MemoryFormat::ChannelsLast)
                    .to(device);
  out_.bias = file.tensor("outc.bias", {2}).to(device);
}

at::Tensor UNet::apply(const Pair& pair, const at::Tensor& x) {
  at::Tensor y = x;
  for (const Convolution& convolution : pair) {
    y = at::conv2d(y, convolution.weight, convolution.bias, at::IntArrayRef({1, 1}),
                   at::IntArrayRef({1, 1}))
            .relu_();
  }
  return y;
}

at::Tensor UNet::forward(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  std::array<at::Tensor, 5> levels;
  levels[0] = apply(first_, images.contiguous(at::MemoryFormat::ChannelsLast));
  for (size_t level = 0; level < 4; ++level) {
    levels[level + 1] = apply(down_[level], at::max_pool2d(levels[level], {2, 2}));
  }
  at::Tensor x = levels[4];
  for (size_t level = 0; level < 4; ++level) {
    const at::Tensor& skip = levels[3 - level];
    x = apply(up_[level], at::cat({skip, enlarged(x, skip)}, 1));
  }
  return at::conv2d(x, out_.weight, out_.bias);
}

}  // namespace remixer::labelcache
