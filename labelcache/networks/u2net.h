// SPDX-License-Identifier: Apache-2.0
// U²-Net and the small U²-Netp (Qin et al., 2020): salient object detection by nested U-blocks.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace remixer::labelcache {

// The network with its batch norms folded into the convolutions. Immutable once loaded; several
// threads may call forward() at once.
class U2Net {
 public:
  // Loads a converted weights file to `device`. Throws InputError if a tensor is missing or has
  // another shape.
  explicit U2Net(const std::filesystem::path& weights, at::Device device = at::kCPU);

  // images [B, 3, H, W], float, on the device, divided by their maximum and normalised with
  // ImageNet's mean and deviation; H and W at least 32. → saliency [B, 1, H, W] in (0, 1): the
  // fused map.
  at::Tensor forward(const at::Tensor& images) const;

  // SHA-256 of the published file that the weights were converted from.
  const std::string& source_sha256() const { return source_sha256_; }

 private:
  struct Convolution {
    at::Tensor weight, bias;
  };
  at::Tensor convolve(const std::string& name, const at::Tensor& x, int64_t dilation) const;
  at::Tensor block(const std::string& stage, int depth, bool pooled, const at::Tensor& x) const;

  std::map<std::string, Convolution> convolutions_;
  std::string source_sha256_;
};

}  // namespace remixer::labelcache
