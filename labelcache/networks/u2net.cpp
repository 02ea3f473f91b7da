// SPDX-License-Identifier: Apache-2.0
#include "labelcache/networks/u2net.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <vector>

#include "base/error.h"
#include "labelcache/networks/weights.h"

namespace remixer::labelcache {
namespace {

// A U-block: the number of encoder levels, and whether they are separated by pooling or (for maps
// that are already small) by dilation.
struct Stage {
  const char* name;
  int depth;
  bool pooled;
};
constexpr Stage kEncoders[] = {{"stage1", 7, true}, {"stage2", 6, true},  {"stage3", 5, true},
                               {"stage4", 4, true}, {"stage5", 4, false}, {"stage6", 4, false}};
constexpr Stage kDecoders[] = {{"stage5d", 4, false},
                               {"stage4d", 4, true},
                               {"stage3d", 5, true},
                               {"stage2d", 6, true},
                               {"stage1d", 7, true}};

// Halves both sides, rounding up.
at::Tensor pool(const at::Tensor& x) {
  return at::max_pool2d(x, {2, 2}, {2, 2}, {0, 0}, {1, 1}, /*ceil_mode=*/true);
}

at::Tensor enlarge(const at::Tensor& x, const at::Tensor& like) {
  return at::upsample_bilinear2d(x, {like.size(2), like.size(3)}, /*align_corners=*/false);
}

std::string level_name(const std::string& stage, const char* part, int level) {
  return fmt::format("{}.{}.{}", stage, part, level);
}

}  // namespace

U2Net::U2Net(const std::filesystem::path& weights, at::Device device) {
  const NetworkWeights file(weights);
  source_sha256_ = file.source_sha256();
  const auto add = [&](const std::string& name, int64_t size) {
    Convolution convolution;
    convolution.bias = file.tensor(name + ".bias", {-1}).to(device);
    convolution.weight = file.tensor(name + ".weight", {convolution.bias.size(0), -1, size, size})
                             .contiguous(at::MemoryFormat::ChannelsLast)
                             .to(device);
    convolutions_.emplace(name, std::move(convolution));
  };
  const auto add_stage = [&](const Stage& stage) {
    add(std::string(stage.name) + ".in", 3);
    for (int level = 1; level <= stage.depth; ++level)
      add(level_name(stage.name, "encoder", level), 3);
    for (int level = 1; level < stage.depth; ++level)
      add(level_name(stage.name, "decoder", level), 3);
  };
  for (const Stage& stage : kEncoders) add_stage(stage);
  for (const Stage& stage : kDecoders) add_stage(stage);
  for (int side = 1; side <= 6; ++side) add(fmt::format("side{}", side), 3);
  add("outconv", 1);
}

at::Tensor U2Net::convolve(const std::string& name, const at::Tensor& x, int64_t dilation) const {
  const Convolution& convolution = convolutions_.at(name);
  const int64_t padding = (convolution.weight.size(2) / 2) * dilation;
  return at::conv2d(x, convolution.weight, convolution.bias, at::IntArrayRef({1, 1}),
                    {padding, padding}, {dilation, dilation});
}

at::Tensor U2Net::block(const std::string& stage, int depth, bool pooled,
                        const at::Tensor& x) const {
  const auto layer = [&](const std::string& name, const at::Tensor& input, int64_t dilation) {
    return convolve(name, input, dilation).relu_();
  };
  const auto dilation = [&](int level) -> int64_t {
    if (!pooled) return int64_t{1} << (level - 1);
    return level == depth ? 2 : 1;
  };
  const at::Tensor entry = layer(stage + ".in", x, 1);
  std::vector<at::Tensor> levels{entry};
  for (int level = 1; level <= depth; ++level) {
    const bool halve = pooled && level > 1 && level < depth;
    levels.push_back(layer(level_name(stage, "encoder", level),
                           halve ? pool(levels.back()) : levels.back(), dilation(level)));
  }
  at::Tensor out = levels.back();
  for (int level = depth - 1; level >= 1; --level) {
    const at::Tensor& skip = levels[static_cast<size_t>(level)];
    if (out.size(2) != skip.size(2) || out.size(3) != skip.size(3)) out = enlarge(out, skip);
    out = layer(level_name(stage, "decoder", level), at::cat({out, skip}, 1), dilation(level));
  }
  return out.add_(entry);
}

at::Tensor U2Net::forward(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  at::Tensor x = images.contiguous(at::MemoryFormat::ChannelsLast);
  std::vector<at::Tensor> encoded;
  for (const Stage& stage : kEncoders) {
    x = block(stage.name, stage.depth, stage.pooled, encoded.empty() ? x : pool(x));
    encoded.push_back(x);
  }
  // From the deepest block outwards; each one gives a map of the whole image, fused at the end.
  std::vector<at::Tensor> outputs{x};
  for (size_t i = 0; i < std::size(kDecoders); ++i) {
    const at::Tensor& skip = encoded[encoded.size() - 2 - i];
    const Stage& stage = kDecoders[i];
    x = block(stage.name, stage.depth, stage.pooled, at::cat({enlarge(x, skip), skip}, 1));
    outputs.push_back(x);
  }
  std::vector<at::Tensor> sides;
  for (size_t side = 1; side <= outputs.size(); ++side) {
    at::Tensor map = convolve(fmt::format("side{}", side), outputs[outputs.size() - side], 1);
    sides.push_back(side == 1 ? map : enlarge(map, sides.front()));
  }
  return convolve("outconv", at::cat(sides, 1), 1).sigmoid_();
}

}  // namespace remixer::labelcache
