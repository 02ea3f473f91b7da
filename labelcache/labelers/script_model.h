// SPDX-License-Identifier: Apache-2.0
// TorchScript networks for labelers, described by a small TOML file.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "base/json.h"
#include "labelcache/labelers/network_input.h"

namespace remixer::labelcache {

// The checked content of a description (docs/labels.md lists the keys).
struct ScriptDescription {
  std::string kind;             // "saliency" or "classifier"
  std::filesystem::path model;  // the .pt file
  InputSize input;
  std::string scale = "255";  // pixels are divided by 255, by nothing ("none") or by the image's
                              // own largest value ("largest")
  std::array<double, 3> mean{0, 0, 0}, deviation{1, 1, 1};
  int64_t output = 0;               // index, for a model that returns a tuple or list
  int64_t channel = 0;              // for a saliency model: channel of the output
  std::string activation = "none";  // of a saliency model: none, sigmoid or softmax (over channels)
  bool invert = false;              // 1 - saliency
  bool stretch = false;             // each map to [0, 1] by its own minimum and maximum
  int64_t batch = 8;
  std::string model_sha256;

  // Everything that can change its answers: the content of sha256().
  Json identity() const;
  // SHA-256 of identity(): pinned by cells.
  std::string sha256() const { return content_id(identity()); }
};

// Reads a description; paths in it are relative to the file. Throws InputError with file and key.
ScriptDescription read_script_description(const std::filesystem::path& file);
// The description as a TOML file with `model` as the model's path.
std::string to_toml(const ScriptDescription& description, const std::string& model);

// The loaded network. Immutable once loaded; members may be called by several threads at once.
class ScriptModel {
 public:
  // Loads it to `device`. Throws InputError if the model is no TorchScript or fails on a black
  // image.
  explicit ScriptModel(ScriptDescription description, at::Device device = at::kCPU);
  ~ScriptModel();

  const ScriptDescription& description() const { return description_; }
  // pixels [B, 3, H, W], 0 to 255, on the device. → the chosen output, [B, C, h, w], float.
  at::Tensor output(const at::Tensor& pixels) const;
  // The output converted to a saliency map [B, 1, h, w] as the description says.
  at::Tensor saliency(const at::Tensor& pixels) const;
  // Channels of the output on a black image.
  int64_t channels() const { return channels_; }

 private:
  struct Module;
  ScriptDescription description_;
  std::unique_ptr<Module> module_;
  at::Tensor mean_, deviation_;  // [1, 3, 1, 1]
  int64_t channels_ = 0;
};

}  // namespace remixer::labelcache
