// The labelers themselves; make_labeler() is how others get one.
#pragma once

#include <cstdint>
#include <filesystem>

#include "labelcache/efficientnet.h"
#include "labelcache/labeler.h"
#include "labelcache/u2net.h"

namespace remixer::labelcache {

// Saliency by U²-Netp: dense maps in [0, 1], each stretched to that range as the network's authors
// do, so the most salient pixel of any image is 1. A map has the image's size, or `input_size` a
// side where that is smaller.
class SaliencyLabeler : public Labeler {
 public:
  SaliencyLabeler(int64_t input_size, const std::filesystem::path& weights);
  MapShape shape() const override { return {}; }
  int batch() const override { return 8; }
  std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const override;
  std::string weights_sha256() const override { return network_.source_sha256(); }

 private:
  U2Net network_;
  int64_t input_size_;
};

// ReLabel (Yun et al., 2021) by EfficientNet-lite0: the `top_k` largest logits of each cell of the
// whole image squashed to `input_size`, one cell for each 32 pixels of that.
class RelabelLabeler : public Labeler {
 public:
  RelabelLabeler(int64_t input_size, int64_t top_k, const std::filesystem::path& weights);
  MapShape shape() const override;
  int batch() const override { return 8; }
  std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const override;
  std::string weights_sha256() const override { return network_.source_sha256(); }

 private:
  EfficientNet network_;
  int64_t input_size_, top_k_;
};

// GrabCut from the dataset's recorded box: dense maps of the image's size, 1 on the object. An
// image without a box shows no object: its map is zero. Each image's draws are keyed by its id.
class BboxGrabcutLabeler : public Labeler {
 public:
  explicit BboxGrabcutLabeler(int64_t scale) : scale_(scale) {}
  MapShape shape() const override { return {}; }
  int batch() const override { return 16; }
  std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const override;

 private:
  int64_t scale_;
};

}  // namespace remixer::labelcache
