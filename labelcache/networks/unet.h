// SPDX-License-Identifier: Apache-2.0
// U-Net of Voynov et al. (2021), "Object segmentation without labels with large-scale generative
// models": foreground masks learned from BigBiGAN's images.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

namespace remixer::labelcache {

// Five levels of two 3 × 3 convolutions, 64 to 512 channels wide, joined by bilinear upsampling
// with aligned corners; 13,395,394 parameters, with batch norms folded into the convolutions at
// loading. Immutable once loaded; several threads may call forward() at once.
class UNet {
 public:
  static constexpr int64_t kParameters = 13395394;

  // Loads the published file as converted by weights/convert.py to `device`. Throws InputError if a
  // tensor is missing or has another shape.
  explicit UNet(const std::filesystem::path& weights, at::Device device = at::kCPU);

  // images [B, 3, H, W], float, on the device, in [-1, 1]; H and W at least 16. → logits [B, 2, H,
  // W]: background, then foreground.
  at::Tensor forward(const at::Tensor& images) const;

  // SHA-256 of the published file that the weights were converted from.
  const std::string& source_sha256() const { return source_sha256_; }

 private:
  struct Convolution {
    at::Tensor weight, bias;
  };
  using Pair = std::array<Convolution, 2>;
  static at::Tensor apply(const Pair& pair, const at::Tensor& x);

  Pair first_;
  std::array<Pair, 4> down_, up_;
  Convolution out_;
  std::string source_sha256_;
};

}  // namespace remixer::labelcache
