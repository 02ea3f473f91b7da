// SPDX-License-Identifier: Apache-2.0
// A file written in pieces that survive the program, so that writing can resume.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace remixer::labelcache {

// Written under another name beside its own, `.<name>.partial`, until commit() gives it its name.
// Destroyed without commit() it stays there, to be gone on with. One process at a time: the file is
// locked. All members throw Error with the path and the system's reason. One thread.
class PartialFile {
 public:
  // Opens or makes the partial file of `path`. Throws InputError where another process has it open.
  explicit PartialFile(std::filesystem::path path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  // Where the partial file of `path` stands.
  static std::filesystem::path name_of(const std::filesystem::path& path);

  const std::filesystem::path& partial() const { return partial_; }
  uint64_t size() const { return size_; }
  // Cuts off what comes after `size` bytes.
  void truncate(uint64_t size);
  void append(std::string_view bytes);
  // Makes what was appended durable, at most once a second unless `now`.
  void sync(bool now);
  // Durable and under its own name. Call once, last.
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
