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

// The annotation of one image. Boxes are as written: neither ordered nor clipped to the image.
struct Annotation {
  int width = 0, height = 0;  // of the annotated image; 0 if not given
  std::string object;         // the first object's name (ImageNet: its WordNet id), or empty
  std::vector<Box> boxes;
};

// Parses a VOC file's text structurally: the <object> elements of its <annotation>, each with its
// own <bndbox>. `name` is the file's name in messages. Throws InputError if the text is torn or has
// no <annotation>.
Annotation parse_voc(std::string_view xml, const std::string& name);

// Checks a box against its image of width x height pixels and clips it: VOC's last column and row
// may equal the image's width and height, one more than exists. Returns the fault ("corners are
// swapped", "lies outside the image", ...), or empty.
std::string fit_box(Box& box, int width, int height);

// Result of matching an index's annotations; lists name them as their source does.
struct BoxMatches {
  int64_t rows = 0, rows_matched = 0;  // of a table; for a folder: its XML files
  std::vector<std::string> unmatched;  // match no image
  std::vector<std::string> ambiguous;  // match several: "NAME fits A, B"
};

// Annotations of many images. match() first; then immutable and thread-safe.
class BoxIndex {
 public:
  // Opens a folder (its XML files, at any depth) or a file (a table, core/dataset/box_table.h).
  // Several lines of one image are several boxes. Throws InputError with file and line.
  static BoxIndex open(const std::filesystem::path& path);
  // Adds a table's rows, with image names prefixed by `folder` ("" for none).
  void add_table(const std::filesystem::path& file, const std::string& folder);

  // Decides which annotation belongs to which image. `images` are paths below the source's folder
  // and must list all images there, used or not. Names are matched from the end and without suffix
  // ("n01/n01_7.xml" matches "train/n01/n01_7.JPEG"), the longest match first; then by the end of
  // an annotation's longer path; then by the bare file name, if no other annotation or image has it
  // and the annotation names no folder of other images. An annotation that fits several images is
  // given to none, and reported.
  const BoxMatches& match(const std::vector<std::string>& images);

  // True after match() if no annotation fits an image.
  bool is_unused() const { return matches_.rows > 0 && matches_.rows_matched == 0; }

  // The annotation of one of match()'s images; empty if there is none. Throws InputError if its XML
  // file is torn.
  std::optional<Annotation> find(std::string_view image) const;

  // A table's images, in its order, for use as the list of images. Empty for a folder.
  const std::vector<std::string>& images() const { return images_; }
  // The number of images that have an annotation.
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;           // as written, with '/' between folders
    std::filesystem::path xml;  // empty: from a table
    Annotation annotation;
    int64_t rows = 0;
  };
  void add_folder(const std::filesystem::path& folder);
  Entry& entry(const std::string& image);

  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> by_path_;   // without suffix
  std::unordered_map<std::string, size_t> by_image_;  // from match()
  std::vector<std::string> images_;
  BoxMatches matches_;
};

}  // namespace remixer::data
