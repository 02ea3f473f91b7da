// SPDX-License-Identifier: Apache-2.0
// Implementations of labelers; make_labeler() creates one by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "labelcache/labelers/labeler.h"
#include "labelcache/labelers/network_input.h"
#include "labelcache/labelers/network_on_device.h"
#include "labelcache/labelers/script_model.h"
#include "labelcache/networks/efficientnet.h"
#include "labelcache/networks/u2net.h"
#include "labelcache/networks/unet.h"

namespace remixer::labelcache {

// Dense maps in [0, 1] by a network that separates objects from background. A map has the image's
// size, or the network's if that is smaller.
class SaliencyLabeler : public Labeler {
 public:
  // The network turns pixels into saliency [B, 1, H, W].
  SaliencyLabeler(InputSize input, int batch, std::string weights_sha256, NetworkOnDevice network)
      : input_(input),
        batch_(batch),
        weights_sha256_(std::move(weights_sha256)),
        network_(std::move(network)) {}
  MapShape shape() const override { return {}; }
  int batch() const override { return batch_; }
  std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const override;
  std::string weights_sha256() const override { return weights_sha256_; }

 private:
  InputSize input_;
  int batch_;
  std::string weights_sha256_;
  NetworkOnDevice network_;
};

// U²-Net or U²-Netp (depending on the weights file) on the image squashed to `input_size`: each map
// is stretched to [0, 1], like the network's authors do, so the most salient pixel of any image is
// 1. The image is resized by area averaging, or by Lanczos as in the published tool.
SaliencyLabeler u2net_labeler(int64_t input_size, bool lanczos,
                              const std::filesystem::path& weights, at::Device device);
// BigBiGAN's U-Net on the image resized to shorter edge `short_edge`, keeping its aspect: 1 minus
// the background's probability; with `threshold` above 0: 1 if that is above `threshold` percent,
// else 0.
// Pixels are scaled to [-1, 1], as in training; with `unit_range` to [0, 1], as in OAMixer's
// released code.
SaliencyLabeler bigbigan_labeler(int64_t short_edge, int64_t threshold, bool unit_range,
                                 const std::filesystem::path& weights, at::Device device);
SaliencyLabeler script_saliency_labeler(ScriptDescription description, at::Device device);

// ReLabel (Yun et al., 2021): the `top_k` largest classifier logits in each cell of the last
// features, for the whole image squashed to a square; or, with nine classes, all ten logits of
// nine_class_logits().
class RelabelLabeler : public Labeler {
 public:
  // The network turns pixels into logits [B, channels, h, w].
  RelabelLabeler(InputSize input, int batch, int64_t channels, int64_t top_k, bool nine_classes,
                 std::string weights_sha256, NetworkOnDevice network);
  MapShape shape() const override;
  int batch() const override { return batch_; }
  std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const override;
  std::string weights_sha256() const override { return weights_sha256_; }

 private:
  InputSize input_;
  int batch_;
  int64_t channels_, top_k_;
  std::vector<at::Tensor> nine_class_members_;  // on the network's device; empty: all classes
  std::string weights_sha256_;
  NetworkOnDevice network_;
};

RelabelLabeler efficientnet_labeler(int64_t input_size, int64_t top_k, bool nine_classes,
                                    const std::filesystem::path& weights, at::Device device);
RelabelLabeler script_relabel_labeler(ScriptDescription description, int64_t top_k,
                                      bool nine_classes, at::Device device);

// GrabCut from the dataset's boxes: dense maps of the image's size, 1 on objects. For several
// boxes, the map is the union of their cuts. An image without a box shows no object: its map is
// zero. The random draws for each box are keyed by the image's id.
class BboxGrabcutLabeler : public Labeler {
 public:
  explicit BboxGrabcutLabeler(int64_t scale) : scale_(scale) {}
  MapShape shape() const override { return {}; }
  int batch() const override { return 16; }
  std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const override;

 private:
  std::vector<data::Box> boxes_of(const LabelInput& input) const;
  int64_t scale_;
};

// The dataset's true masks, an upper bound for labelers: dense maps of the mask's size. An image
// without a mask shows no object.
class MaskLabeler : public Labeler {
 public:
  MapShape shape() const override { return {}; }
  int batch() const override { return 16; }
  bool reads_images() const override { return false; }
  bool reads_masks() const override { return true; }
  std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const override;
};

// Reads a sample's true mask from its file. Throws InputError naming the file if it cannot be read
// or has no object pixel.
data::GrayImage read_true_mask(const std::filesystem::path& file);

// Converts a mask to a map: 0 to 255 become 0 to 1.
data::LabelMap mask_map(const data::GrayImage& mask);

}  // namespace remixer::labelcache
