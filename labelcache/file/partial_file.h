// SPDX-License-Identifier: Apache-2.0
// A file written in pieces that survive the process, so that writing can be resumed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace remixer::labelcache {

// Written as `.<name>.partial` beside its final path until commit() renames it. If destroyed
// without commit(), it stays there and can be continued. One process at a time: the file is locked.
// All members throw Error with the path and the system's reason. One thread.
class PartialFile {
 public:
  // Opens or creates the partial file of `path`. Throws InputError if another process has it open.
  explicit PartialFile(std::filesystem::path path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  // Path of the partial file for `path`.
  static std::filesystem::path name_of(const std::filesystem::path& path);

  const std::filesystem::path& partial() const { return partial_; }
  uint64_t size() const { return size_; }
  // Cuts the file to `size` bytes.
  void truncate(uint64_t size);
  void append(std::string_view bytes);
  // Makes appended data durable, at most once a second unless `now`.
  void sync(bool now);
  // Makes the file durable and renames it to its final name. Call once, last.
  void commit();
  // Removes the partial file, unless it was committed. Call last.
  void discard();

 private:
  std::filesystem::path path_, partial_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
  double synced_ = 0;  // seconds on the monotonic clock
};

}  // namespace remixer::labelcache
