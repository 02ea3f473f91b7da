// SPDX-License-Identifier: Apache-2.0
// Tar archive reader with an index of offsets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/image/source_tree.h"

namespace remixer::data {

// A plain .tar (ustar, with GNU's and pax's long names). Headers are read once; members are read by
// offset. At most kOpenArchives archive files are open at a time, however many archives there are;
// an archive that changes after its headers were read is an error. Immutable; thread-safe.
constexpr size_t kOpenArchives = 100;

class TarArchive {
 public:
  // Throws InputError naming the archive if it is missing, torn or no tar.
  explicit TarArchive(std::filesystem::path path);
  TarArchive(const TarArchive&) = delete;
  TarArchive& operator=(const TarArchive&) = delete;

  struct Member {
    int64_t offset = 0, size = 0;
  };
  // Regular files by name, without a leading "./"; links to them are also members.
  const std::map<std::string, Member>& members() const { return members_; }
  // Entries that can't be read: broken links, devices, sparse files.
  const std::map<std::string, PassedOver>& others() const { return others_; }
  // Throws InputError naming archive and member if there is none of that name.
  std::string read(const std::string& name) const;

 private:
  struct Header;
  void read_index();
  void add(Header header);
  void resolve_links();
  std::string bytes(int64_t offset, int64_t size) const;

  std::filesystem::path path_;
  uint64_t number_ = 0;  // counts all archives opened by this process
  int64_t length_ = 0, modified_ = 0;
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> links_;  // name → target
  std::map<std::string, PassedOver> others_;
};

}  // namespace remixer::data
