// Writes a dataset's folder: the form that dataset.h reads and docs/datasets.md describes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/dataset.h"
#include "experiments/json.h"

namespace remixer::data {

// The columns of <split>.tsv, in order; the file's first line holds these names.
constexpr std::array<std::string_view, 9> kIndexColumns = {
    "image", "class", "x0", "y0", "x1", "y1", "mask", "foreground", "background"};

// Collects a dataset in a hidden folder beside its final one and publishes it whole. Destroyed
// without publish(), it leaves nothing behind. Files may be added from any thread; the rest is for
// one thread at a time.
class DatasetWriter {
 public:
  // Throws InputError where `folder` exists already.
  DatasetWriter(std::filesystem::path folder, std::vector<std::string> classes, int image_size,
                experiments::Json spec);
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  // Creates a folder, named by its path inside the dataset, and the folders above it.
  void add_folder(const std::string& path);
  // Writes one file (an image, a mask), into a folder that was added. Thread-safe. Durable only
  // after publish(), so that thousands of small files cost one flush.
  void add_file(const std::string& path, std::string_view bytes);
  // Writes a split's index. Every image and mask that it names must have been added.
  void add_split(const std::string& split, const std::vector<Sample>& samples);
  // Writes the manifest, makes everything durable and renames the folder to its final name.
  void publish(const std::array<double, 3>& mean, const std::array<double, 3>& deviation);

 private:
  std::filesystem::path folder_, staging_;
  std::vector<std::string> classes_;
  int image_size_;
  experiments::Json spec_;
  std::map<std::string, std::vector<Sample>> splits_;
};

// The hash that a manifest records. It is the SHA-256 of the text that sha256sum prints for, split
// after split in the order of their names: the split's index, then each row's image and its mask
// (a mask that several rows share is listed with the first).
std::string content_hash(const std::filesystem::path& folder,
                         const std::map<std::string, std::vector<Sample>>& splits);

}  // namespace remixer::data
