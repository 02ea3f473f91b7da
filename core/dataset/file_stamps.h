// SPDX-License-Identifier: Apache-2.0
// Detects changes to the files of a data set that was imported in place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/dataset/dataset.h"

namespace remixer::data {

// Size and last change, in ns since 1970; for an archive's member, those of the archive.
struct FileStamp {
  int64_t size = 0, modified = 0;
  std::string sha256;  // of the file's bytes, or of the member's
  bool operator==(const FileStamp&) const = default;
};

// The file's size and time, without a hash. Empty if there is no such file.
std::optional<FileStamp> look_at(const std::filesystem::path& path);

// Stamps of files below `root` by path, stored beside the dataset's indexes: one file for each of
// the dataset's places, which no hash covers.
std::string stamps_name(const std::filesystem::path& root);
std::string stamps_text(const std::map<std::string, FileStamp>& stamps);
// Throws InputError if the text is torn; `name` is the file's name in messages.
std::map<std::string, FileStamp> parse_stamps(const std::string& text, const std::string& name);

// Compares size and time of each of the split's images and masks with the stored ones, and rehashes
// files that differ. Throws InputError naming files whose bytes changed. Does nothing for a dataset
// that was built, or imported before stamps were introduced. If only times changed, the new ones
// are stored, if possible. Reads on all threads; may run in several processes at once.
void check_files(const Dataset& dataset);

}  // namespace remixer::data
