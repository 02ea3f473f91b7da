// SPDX-License-Identifier: Apache-2.0
// Finds images in folders of various layouts. Nothing here writes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace remixer::data {

// The folders inside `folder`, by name; where all names are whole numbers, by number, so that "10"
// follows "9" (ImageNetV2's folders are ImageNet's class indices, and sorting them as text breaks
// the labels). Names that begin with a dot are passed over. Throws InputError where there is no
// such folder.
std::vector<std::string> list_folders(const std::filesystem::path& folder);

// Images are told by their suffix: jpg, jpeg or png in any case.
bool is_image(const std::filesystem::path& path);

// Sorts names so: as text, or as numbers if all are numbers.
void sort_folders(std::vector<std::string>& names);

// The image files inside `root`/`below`, folders in it included, as paths below `root`, sorted.
// Other files (lists, archives) and hidden ones are passed over. Throws InputError naming a link
// that leads nowhere or a folder that may not be read.
std::vector<std::string> list_images(const std::filesystem::path& root, const std::string& below);

// True where every name is a whole number.
bool all_numbers(const std::vector<std::string>& names);

}  // namespace remixer::data
