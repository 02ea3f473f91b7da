// SPDX-License-Identifier: Apache-2.0
// A labeler: makes label maps of images.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/image/image.h"
#include "labelcache/file/record.h"

namespace remixer::labelcache {

// Folders of the networks' weights.
struct WeightFolders {
  WeightFolders(std::filesystem::path installed, std::filesystem::path pinned = {})
      : installed(std::move(installed)), pinned(std::move(pinned)) {}
  std::filesystem::path installed;  // those that come with the product
  // A user's own, put there by `remixer labels pin`; empty: none. What is not there is looked for
  // among the installed ones.
  std::filesystem::path pinned;
};

struct LabelInput {
  data::Sample sample;
  data::Image image = {};     // empty where the labeler does not read images
  data::GrayImage mask = {};  // the sample's true mask; empty where it has none, or none is read
};

// Immutable; label() may be called by several threads at once.
class Labeler {
 public:
  virtual ~Labeler() = default;
  // What its maps have in common.
  virtual MapShape shape() const = 0;
  // Images that one call of label() is best given.
  virtual int batch() const = 0;
  // One map an image, in order. The answer depends on the batch's images alone, and on how many
  // threads ATen uses (in the last bits): one, to be the same everywhere on a machine.
  virtual std::vector<data::LabelMap> label(const std::vector<LabelInput>& batch) const = 0;
  // SHA-256 of the network's published weights; empty for a labeler without a network.
  virtual std::string weights_sha256() const { return {}; }
  // Whether label() looks at LabelInput::image, and at LabelInput::mask.
  virtual bool reads_images() const { return true; }
  virtual bool reads_masks() const { return false; }
};

// The labeler that `entry` describes ({"name", "version", parameters...}, as experiments'
// labeler_entry() makes it), its weights loaded from the folders. Throws InputError where the entry
// is of another version or made for other weights, or where the weights are missing.
std::unique_ptr<Labeler> make_labeler(const Json& entry, const WeightFolders& folders);

// Where weights of the user's own are: <name>-<first 16 digits of their SHA-256><extension>, in the
// first folder that has it; that of the first folder where none has.
std::filesystem::path own_weights(const WeightFolders& folders, const std::string& name,
                                  const std::string& sha256, const std::string& extension);

}  // namespace remixer::labelcache
