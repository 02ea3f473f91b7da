// SPDX-License-Identifier: Apache-2.0
// EfficientNet-lite0 (Tan and Le, 2019, without squeeze-and-excitation): an ImageNet classifier,
// applied spatially for ReLabel maps.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

namespace remixer::labelcache {

// Batch norms are folded into the convolutions at loading. Immutable once loaded; several threads
// may call forward() at once.
class EfficientNet {
 public:
  static constexpr int kClasses = 1000;

  // Loads efficientnet_lite0.safetensors to `device`. Throws InputError if a tensor is missing or
  // has another shape.
  explicit EfficientNet(const std::filesystem::path& weights, at::Device device = at::kCPU);

  // images [B, 3, H, W], float, on the device, (pixel - 127) / 128. → logits [B, 1000, ceil(H/32),
  // ceil(W/32)]: the classifier applied to each cell of the last features. As it is linear, the
  // mean over cells is the usual classifier output for the whole image.
  at::Tensor forward(const at::Tensor& images) const;

  // SHA-256 of the published file that the weights were converted from.
  const std::string& source_sha256() const { return source_sha256_; }

 private:
  struct Convolution {
    at::Tensor weight, bias;
    int64_t stride = 1;
    int64_t groups = 1;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  // An inverted bottleneck.
  struct Block {
    Convolution expand;  // undefined weight: no expansion
    Convolution depthwise;
    Convolution project;
    bool residual = false;
  };

  Convolution stem_, head_, classifier_;
  std::vector<Block> blocks_;
  std::string source_sha256_;
};

}  // namespace remixer::labelcache
