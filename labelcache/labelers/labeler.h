// SPDX-License-Identifier: Apache-2.0
// Interface of labelers, which make label maps from images.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/image/image.h"
#include "experiments/spec/component_spec.h"
#include "labelcache/file/record.h"

namespace remixer::labelcache {

// Folders of the networks' weights.
struct WeightFolders {
  WeightFolders(std::filesystem::path installed, std::filesystem::path pinned = {})
      : installed(std::move(installed)), pinned(std::move(pinned)) {}
  std::filesystem::path installed;  // the weights installed with the program
  // The user's own weights, put there by `remixer labels pin`; empty: none. Searched before the
  // installed folder.
  std::filesystem::path pinned;
};

struct LabelInput {
  data::Sample sample;
  data::Image image = {};     // empty if the labeler does not read images
  data::GrayImage mask = {};  // the sample's true mask; empty if it has none or none is read
};

// Immutable; label() may be called by several threads at once.
class Labeler {
 public:
  virtual ~Labeler() = default;
  // Properties shared by its maps.
  virtual MapShape shape() const = 0;
  // Preferred number of images per label() call.
  virtual int batch() const = 0;
  // Returns one map per image, in order. The result depends only on the batch's images and (in the
  // last bits) on the device and on ATen's number of threads: with one thread it is the same
  // everywhere on a machine.
  virtual std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const = 0;
  // SHA-256 of the network's published weights; empty for a labeler without a network.
  virtual std::string weights_sha256() const { return {}; }
  // Whether label() reads LabelInput::image, and LabelInput::mask.
  virtual bool reads_images() const { return true; }
  virtual bool reads_masks() const { return false; }
};

// Creates the labeler of a spec (from experiments::make_labeler_spec()), loading its weights from
// the folders to `device`, on which its network then runs. A labeler without a network runs on the
// CPU. Throws InputError if the spec is of another version or made for other weights, or if the
// weights are missing.
std::unique_ptr<Labeler> make_labeler(const experiments::LabelerSpec& spec,
                                      const WeightFolders& folders, at::Device device = at::kCPU);

// Path of a user's weights: <name>-<first 16 digits of their SHA-256><extension>, in the first
// folder that has it; in the first folder if none has it.
std::filesystem::path own_weights(const WeightFolders& folders, const std::string& name,
                                  const std::string& sha256, const std::string& extension);

}  // namespace remixer::labelcache
