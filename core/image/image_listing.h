// SPDX-License-Identifier: Apache-2.0
// Lists a folder's images with their classes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/image/source_tree.h"

namespace remixer::data {

// Images of one part of a tree ("train"; "" for the whole) and where their class comes from:
//   CLASS/.../x.jpg         the folder below the part
//   x.tar/.../CLASS/x.jpg   in an archive directly in the part: the image's own folder
//   x.tar/key.jpg           beside key.cls (WebDataset): the first line of key.cls,
//                           a number or a name;
//                           a key ends at its first dot
//   CLASS.tar/x.jpg         an archive that holds only images: the archive's name
struct PartListing {
  struct Image {
    size_t file = 0;   // in the tree's files()
    std::string name;  // of its class; empty if it has none
  };
  std::vector<Image> images;         // in the tree's order
  std::vector<std::string> classes;  // sorted, folders without images included
  std::vector<size_t> labels;        // files read for the class they contain
  std::vector<size_t> further;       // images of a sample besides its main one ("key.mask.png")
  std::vector<size_t> unclear;       // several images of one sample, and not exactly one "key.jpg"
  // Archives taken as a class although they are named like a shard ("train-0001.tar").
  std::vector<std::string> shard_like;
};
// Skips everything below the folder `without`, if one is given. Throws InputError if an archive
// can't be read.
PartListing list_part(const SourceTree& tree, const std::string& part, const std::string& without);

struct ListedImage {
  std::string path;  // inside the root, for read_image_bytes()
  int label = 0;     // index into classes
  bool operator==(const ListedImage&) const = default;
};

struct ImageListing {
  std::vector<std::string> classes;  // in the order of the labels
  std::vector<ListedImage> images;
};

// Lists `root`, a folder or an archive, as list_part() does; images sorted by path within a class.
// Throws InputError if there is no image, or an image without a class.
ImageListing list_images(const std::filesystem::path& root);

}  // namespace remixer::data
