// SPDX-License-Identifier: Apache-2.0
// Reads splits and classes from names of folders and files, and checks names for an index.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace remixer::data {

// Which split a name seems to mean: "Training", "val2", "test_set", "original".
enum class SplitWord { kNone, kTrain, kVal, kTest, kVariant };
SplitWord split_word(std::string_view name);
// The same of any word in an archive's name ("imagenet1k-train-0000.tar").
SplitWord split_word_in(std::string_view archive);

// ImageNet's class index of a folder: a WordNet id, or the index itself, from 0.
std::optional<int> class_of_folder(std::string_view name);
// ImageNet's class index that a file's name says: "n01440764_10026.JPEG",
// "ILSVRC2012_val_00000293_n01440764.JPEG". Nothing where it says none.
std::optional<int> class_of_file_name(std::string_view path);
// The number in "ILSVRC2012_val_00000293", with or without a class behind it: images are counted
// from 1, in the order of their names. Nothing where it is another name.
std::optional<int64_t> validation_number(std::string_view path);

// Why an index can't hold this image's path (it is not UTF-8, it holds a line break, ...), or
// nothing.
std::string unfit_path(std::string_view path);
// The same of a class's name and of a split's.
std::string unfit_class(std::string_view name);
std::string unfit_split(std::string_view name);

}  // namespace remixer::data
