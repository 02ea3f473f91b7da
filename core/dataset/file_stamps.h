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

// Size and time of the last change, in ns since 1970; of an archive's member, those of the archive.
struct FileStamp {
  int64_t size = 0, modified = 0;
  std::string sha256;  // of the bytes, of a member the member's
  bool operator==(const FileStamp&) const = default;
};

// The file's size and time, without a hash. Nothing where there is no such file.
std::optional<FileStamp> look_at(const std::filesystem::path& path);

// Stamps of files below `root` by path, as they stand beside the dataset's indexes: of each place
// of the dataset a file of its own, which no hash covers.
std::string stamps_name(const std::filesystem::path& root);
std::string stamps_text(const std::map<std::string, FileStamp>& stamps);
// Throws InputError where the text is torn; `name` stands for the file.
std::map<std::string, FileStamp> parse_stamps(const std::string& text, const std::string& name);

// Compares size and time of every image and mask of the split with what they were, and hashes those
// again that differ. Throws InputError naming files whose bytes are others now. Does nothing for a
// dataset that was built, or imported before stamps were kept. Where only times changed, it puts
// down the new ones if it can. Reads on all threads; may run in several processes at once.
void check_files(const Dataset& dataset);

}  // namespace remixer::data
