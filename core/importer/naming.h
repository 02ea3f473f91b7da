// SPDX-License-Identifier: Apache-2.0
// Recognises splits and classes in file and folder names, and checks names for an index.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace remixer::data {

// The split that a name suggests: "Training", "val2", "test_set", "original".
enum class SplitWord { kNone, kTrain, kVal, kTest, kVariant };
SplitWord split_word(std::string_view name);
// The same for any word in an archive's name ("imagenet1k-train-0000.tar").
SplitWord split_word_in(std::string_view archive);

// ImageNet's class index for a folder named by WordNet id or by the index itself (from 0).
std::optional<int> class_of_folder(std::string_view name);
// ImageNet's class index in a file's name: "n01440764_10026.JPEG",
// "ILSVRC2012_val_00000293_n01440764.JPEG". Empty if there is none.
std::optional<int> class_of_file_name(std::string_view path);
// The number in "ILSVRC2012_val_00000293", with or without a class after it: images are numbered
// from 1, in name order. Empty for other names.
std::optional<int64_t> validation_number(std::string_view path);

// Why an index can't hold this image's path (not UTF-8, a line break, ...), or
// empty.
std::string unfit_path(std::string_view path);
// The same for the name of a class or of a split.
std::string unfit_class(std::string_view name);
std::string unfit_split(std::string_view name);

}  // namespace remixer::data
