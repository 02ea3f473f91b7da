// Boxes of objects as people have them: PASCAL-VOC XML files, or tables.
#pragma once

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

// One VOC file's text; `name` stands for it in messages. Throws InputError where it is torn or says
// no <annotation>.
Annotation parse_voc(std::string_view xml, const std::string& name);

// Checks a box against its image of width x height pixels and cuts it to it: VOC's last column and
// row may be the image's width and height, one more than there is. Returns what is wrong with it
// ("corners are swapped", "lies outside the image", ...), or nothing.
std::string fit_box(Box& box, int width, int height);

// Annotations of many images. Immutable; thread-safe.
class BoxIndex {
 public:
  // A folder: its *.xml files, at any depth. A file: a table, one box a line, with tabs, commas or
  // spaces between its columns. A first line may name them (image or path, class or wnid, x0 y0 x1
  // y1 or xmin ymin xmax ymax, width, height); without, they are "image x0 y0 x1 y1" or "image
  // class x0 y0 x1 y1", which Tiny ImageNet's files are. ImageNet's localisation table ("ImageId,
  // PredictionString") is known as well. Several lines of one image are several boxes.
  // Throws InputError with file and line.
  static BoxIndex open(const std::filesystem::path& path);
  // Joins a table's rows, image names prefixed by `folder` ("" for none).
  void add_table(const std::filesystem::path& file, const std::string& folder);

  // The annotation of an image, named by its path below its source's folder. Names match from
  // their end and without their suffix ("n01/n01_7.xml" is of "train/n01/n01_7.JPEG"); an image
  // whose annotation has another folder is found by its file name where no other has that name.
  // Nothing where there is none. Throws InputError where its XML file is torn.
  std::optional<Annotation> find(std::string_view image) const;

  // A table's images, in its order: where the table itself is the list of images. Empty of folders.
  const std::vector<std::string>& images() const { return images_; }
  // The number of images that have an annotation.
  size_t size() const { return by_path_.size(); }

 private:
  struct Entry {
    std::filesystem::path xml;  // empty: of a table
    Annotation annotation;
  };
  void add_folder(const std::filesystem::path& folder);
  Entry& entry(const std::string& image);

  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> by_path_;  // without suffix
  std::unordered_map<std::string, size_t> by_name_;  // file name; kAmbiguous where several
  std::vector<std::string> images_;
};

}  // namespace remixer::data
