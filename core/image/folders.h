// Folders of images as people have them. Nothing here writes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/image/geometry.h"

namespace remixer::data {

// The folders inside `folder`, by name; where all names are whole numbers, by number, so that "10"
// follows "9" (ImageNetV2's folders are ImageNet's class indices, and sorting them as text breaks
// the labels). Names that begin with a dot are passed over. Throws InputError where there is no
// such folder.
std::vector<std::string> list_folders(const std::filesystem::path& folder);

// Images are told by their suffix: jpg, jpeg or png in any case.
bool is_image(const std::filesystem::path& path);

// The image files inside `root`/`below`, folders in it included, as paths below `root`, sorted.
// Other files (lists, archives) are passed over.
std::vector<std::string> list_images(const std::filesystem::path& root, const std::string& below);

// True where every name is a whole number.
bool all_numbers(const std::vector<std::string>& names);

// Width and height of a JPEG or PNG from its first bytes; {0, 0} where they do not say.
ImageSize image_size(std::string_view bytes);

}  // namespace remixer::data
