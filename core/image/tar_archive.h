// Tar archives, read by an index of offsets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace remixer::data {

// A plain .tar (ustar, with GNU's and pax's long names). The headers are read once, members by
// offset. Immutable; thread-safe.
class TarArchive {
 public:
  // Throws InputError naming the archive where it is missing, torn or no tar.
  explicit TarArchive(std::filesystem::path path);
  ~TarArchive();
  TarArchive(const TarArchive&) = delete;
  TarArchive& operator=(const TarArchive&) = delete;

  struct Member {
    int64_t offset = 0, size = 0;
  };
  // Regular files by name, without a leading "./".
  const std::map<std::string, Member>& members() const { return members_; }
  // Throws InputError naming archive and member where there is none of the name.
  std::string read(const std::string& name) const;

 private:
  void read_index();
  std::string bytes(int64_t offset, int64_t size) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  int64_t length_ = 0;
  std::map<std::string, Member> members_;
};

}  // namespace remixer::data
