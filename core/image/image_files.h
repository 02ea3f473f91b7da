// SPDX-License-Identifier: Apache-2.0
// Reads images from folders and from tar archives, which are treated like
// folders.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/image/geometry.h"

namespace remixer::data {

// A file's bytes. The path may lead into a plain tar archive: "shards/0001.tar/n01440764/x.JPEG".
// The indices of archives stay in memory until the process ends. Throws InputError naming the path
// if there is no such file. Thread-safe.
std::string read_image_bytes(const std::filesystem::path& path);
// The same, or empty if there is no such file or member.
std::optional<std::string> read_image_bytes_if_exists(const std::filesystem::path& path);

class TarArchive;
// The archive at the path, with its index read once and shared. Throws as TarArchive's constructor
// does. Thread-safe.
std::shared_ptr<const TarArchive> open_archive(const std::filesystem::path& path);

// The archive that a path leads into, such as "shards/0001.tar" above; empty if it leads into
// none.
std::filesystem::path archive_of(const std::filesystem::path& path);

// Width and height of a JPEG or PNG from its header. Throws InputError naming the path if the file
// is missing, empty, torn or neither.
ImageSize read_image_size(const std::filesystem::path& path);

}  // namespace remixer::data
