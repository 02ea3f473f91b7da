// SPDX-License-Identifier: Apache-2.0
// A dataset on disk: written by the builders, read by everything else.
//
//   <folder>/manifest.json      what it is, counts, content hash
//   <folder>/<split>.tsv        one row per sample, in the order of the sample numbers
//   <folder>/train/<class>/...  images; evaluation sets in <set>/val/<class>/..., masks in
//   <folder>/fg_mask/<split>/<class>/...
//
// A dataset imported in place holds only manifest and indexes; its images and masks stay below
// another folder, the manifest's "root". docs/datasets.md describes the columns. A folder is
// complete or absent: builders publish by atomic rename.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::data {

// Pixels, corners inclusive: a box of one pixel has x0 == x1.
struct Box {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool operator==(const Box&) const = default;
};

struct Sample {
  std::string id;          // the image's path below the dataset's root; unique in its split
  int label = 0;           // index into classes()
  std::optional<Box> box;  // the object's box; none if the image shows no object
  std::string mask;        // path below the root of the object's true mask, or empty
  std::string foreground;  // identity of the pasted object, or empty
  std::string background;  // identity of the background's source, or empty
  std::vector<Box> more_boxes = {};  // of further objects; empty unless `box` is given
  // Further right answers, if an image has several (ImageNet-ReaL). Labels that map to one class
  // are repeated, as in the released nine-class form, which counts an image once per label.
  std::vector<int> more_labels = {};
};

// One split of a dataset, its index in memory. Immutable; thread-safe.
class Dataset {
 public:
  // Throws InputError if the folder, its manifest or the split is missing or inconsistent.
  static Dataset open(const std::filesystem::path& folder, const std::string& split);

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& split() const { return split_; }
  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<Sample>& samples() const { return samples_; }
  // Side of the square images; 0: images vary in size and shape.
  int image_size() const { return image_size_; }
  // Channel statistics for normalisation, for pixels scaled to [0, 1], from the manifest.
  const std::array<float, 3>& mean() const { return mean_; }
  const std::array<float, 3>& deviation() const { return deviation_; }
  // SHA-256 of the dataset's content, from the manifest.
  const std::string& content_hash() const { return content_hash_; }
  // Folder of images and masks: the dataset's own, or the source folder if imported in place.
  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path image_path(const Sample& sample) const { return root_ / sample.id; }
  // Only for a sample that has a mask.
  std::filesystem::path mask_path(const Sample& sample) const { return root_ / sample.mask; }

 private:
  std::filesystem::path folder_, root_;
  std::string split_;
  std::vector<std::string> classes_;
  std::vector<Sample> samples_;
  int image_size_ = 0;
  std::array<float, 3> mean_{}, deviation_{};
  std::string content_hash_;
};

// manifest.json's fields: {"format": 1, "spec": {the dataset's entry in a cell}, "classes": [...],
// "image_size": 32, "mean": [3], "deviation": [3], "splits": {"train": 8000, "original": 1000,
// ...}, "content_sha256": "..."}. A dataset imported in place also has "root", the absolute folder
// of its images, which no hash covers: the same images elsewhere are the same dataset. "image_size"
// is 0 if images vary in size.
constexpr int kDatasetFormat = 1;

}  // namespace remixer::data
