// Where images stand: folders, as ImageFolder lays them out, and tar archives, which count as
// folders.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/image/geometry.h"

namespace remixer::data {

// A file's bytes. The path may lead into a plain tar archive: "shards/0001.tar/n01440764/x.JPEG".
// Archives stay open, their indices in memory, for as long as the program runs. Throws InputError
// naming the path where there is no such file. Thread-safe.
std::string read_image_bytes(const std::filesystem::path& path);
// The same, or nothing where there is no such file or no such member.
std::optional<std::string> read_image_bytes_if_exists(const std::filesystem::path& path);

// Width and height of a JPEG or PNG from its header. Throws InputError naming the path where it is
// missing, empty, torn or neither.
ImageSize read_image_size(const std::filesystem::path& path);

// True of a tar archive, and of a folder with such archives in it.
bool has_archives(const std::filesystem::path& path);

struct ListedImage {
  std::string path;  // inside the root, for read_image_bytes()
  int label = 0;     // index into classes
  bool operator==(const ListedImage&) const = default;
};

struct ImageListing {
  std::vector<std::string> classes;  // in the order of the labels
  std::vector<ListedImage> images;
};

// What is below `root`: a folder with a folder for each class (of images, at any depth), a tar
// archive of such a folder or of WebDataset samples ("x.jpg" beside "x.cls", which holds the
// class's number), or a folder of such archives. Classes are sorted by name, numbers as numbers;
// images by path within a class. Files that are no .jpg, .jpeg or .png are passed over. Throws
// InputError where there is no image, or an image in no class.
ImageListing list_images(const std::filesystem::path& root);

}  // namespace remixer::data
