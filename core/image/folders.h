// SPDX-License-Identifier: Apache-2.0
// Finds images in folders of various layouts. Nothing here writes files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace remixer::data {

// The folders inside `folder`, sorted by name; if all names are integers, by number, so that "10"
// follows "9" (ImageNetV2's folders are ImageNet's class indices, and sorting them as text breaks
// the labels). Names that begin with a dot are skipped. Throws InputError if there is no such
// folder.
std::vector<std::string> list_folders(const std::filesystem::path& folder);

// Images are recognised by their suffix: jpg, jpeg or png in any case.
bool is_image(const std::filesystem::path& path);

// Sorts names in that order: as text, or as numbers if all are numbers.
void sort_folders(std::vector<std::string>& names);

// The image files inside `root`/`below` and its subfolders, as paths below `root`, sorted. Other
// files (lists, archives) and hidden ones are skipped. Throws InputError naming a broken link or a
// folder that may not be read.
std::vector<std::string> list_images(const std::filesystem::path& root, const std::string& below);

// True if every name is an integer.
bool all_numbers(const std::vector<std::string>& names);

}  // namespace remixer::data
