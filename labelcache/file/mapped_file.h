// SPDX-License-Identifier: Apache-2.0
// Memory-mapped file.
#pragma once

#include <filesystem>
#include <string_view>

namespace remixer::labelcache {

// A read-only memory map. Immutable; thread-safe. The file must not be truncated while it is
// mapped: this project's files are replaced by atomic rename, never in place.
class MappedFile {
 public:
  // Throws InputError if there is no such file or it is not a regular one.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace remixer::labelcache
