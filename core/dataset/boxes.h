// SPDX-License-Identifier: Apache-2.0
// Reads bounding boxes: PASCAL-VOC XML files or tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/dataset/dataset.h"

namespace remixer::data {

// What is said of one image. Boxes are as written: neither ordered nor cut to the image.
struct Annotation {
  int width = 0, height = 0;  // of the image that was annotated; 0 where it is not said
  std::string object;         // the first object's name (ImageNet: its WordNet id), or empty
  std::vector<Box> boxes;
};

// One VOC file's text, read by its structure: the <object> elements of the file's <annotation>, and
// of each its own <bndbox>. `name` stands for it in messages. Throws InputError where it is torn or
// no <annotation>.
Annotation parse_voc(std::string_view xml, const std::string& name);

// Checks a box against its image of width x height pixels and cuts it to it: VOC's last column and
// row may be the image's width and height, one more than there is. Returns what is wrong with it
// ("corners are swapped", "lies outside the image", ...), or nothing.
std::string fit_box(Box& box, int width, int height);

// What became of the annotations of an index. One line each, as they are named in their source.
struct BoxMatches {
  int64_t rows = 0, rows_matched = 0;  // of a table; of a folder: its XML files
  std::vector<std::string> unmatched;  // annotations that fit no image
  std::vector<std::string> ambiguous;  // "NAME fits A, B": those that fit several
};

// Annotations of many images. match() first; then immutable and thread-safe.
class BoxIndex {
 public:
  // A folder: its XML files, at any depth. A file: a table (core/dataset/box_table.h). Several
  // lines of one image are several boxes. Throws InputError with file and line.
  static BoxIndex open(const std::filesystem::path& path);
  // Joins a table's rows, image names prefixed by `folder` ("" for none).
  void add_table(const std::filesystem::path& file, const std::string& folder);

  // Decides which annotation is of which of the images, which are named by their paths below their
  // source's folder and are all that there are, used or not. Names match from their end and without
  // their suffix ("n01/n01_7.xml" is of "train/n01/n01_7.JPEG"), the longest first; then the end of
  // an annotation's longer path; then the bare file name, if no other annotation and no other
  // image has it and the annotation names no folder of other images. An annotation that fits
  // several images is of none, and said so.
  const BoxMatches& match(const std::vector<std::string>& images);

  // True after match() where no annotation fits an image.
  bool is_unused() const { return matches_.rows > 0 && matches_.rows_matched == 0; }

  // The annotation of one of match()'s images. Nothing where there is none. Throws InputError where
  // its XML file is torn.
  std::optional<Annotation> find(std::string_view image) const;

  // A table's images, in its order: where the table itself is the list of images. Empty of folders.
  const std::vector<std::string>& images() const { return images_; }
  // The number of images that have an annotation.
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;           // as written, with '/' between folders
    std::filesystem::path xml;  // empty: of a table
    Annotation annotation;
    int64_t rows = 0;
  };
  void add_folder(const std::filesystem::path& folder);
  Entry& entry(const std::string& image);

  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> by_path_;   // without suffix
  std::unordered_map<std::string, size_t> by_image_;  // of match()
  std::vector<std::string> images_;
  BoxMatches matches_;
};

}  // namespace remixer::data
