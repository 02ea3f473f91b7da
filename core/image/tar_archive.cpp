#include "core/image/tar_archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace remixer::data {
namespace {

constexpr int64_t kBlock = 512;

// The fields of a header block, by place (POSIX.1-1988).
std::string_view field(std::string_view block, size_t at, size_t length) {
  const std::string_view text = block.substr(at, length);
  return text.substr(0, std::min(text.find('\0'), text.size()));
}

// Octal, or GNU's base 256 where the first bit is set.
std::optional<int64_t> number(std::string_view block, size_t at, size_t length) {
  if (static_cast<uint8_t>(block[at]) & 0x80) {
    int64_t value = static_cast<uint8_t>(block[at]) & 0x3f;
    for (size_t i = at + 1; i < at + length; ++i) {
      if (value >> 54) return std::nullopt;
      value = value << 8 | static_cast<uint8_t>(block[i]);
    }
    return value;
  }
  std::string_view text = field(block, at, length);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  text = text.substr(0, std::min(text.find(' '), text.size()));
  int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (text.empty()) return 0;
  if (code != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// The sum of all bytes, those of the checksum's own field counted as blanks.
bool checksum_holds(std::string_view block) {
  int64_t sum = 8 * ' ';
  for (size_t i = 0; i < block.size(); ++i) {
    if (i < 148 || i >= 156) sum += static_cast<uint8_t>(block[i]);
  }
  return number(block, 148, 8) == sum;
}

// "27 path=a/long/name\n" and the like; what is not asked for is passed over.
std::string pax_value(std::string_view records, std::string_view key) {
  std::string value;
  while (!records.empty()) {
    const size_t blank = records.find(' ');
    size_t length = 0;
    std::from_chars(records.data(), records.data() + std::min(blank, records.size()), length);
    if (length <= blank || length > records.size()) return value;
    const std::string_view record = records.substr(blank + 1, length - blank - 2);
    if (record.starts_with(key) && record.substr(key.size()).starts_with('=')) {
      value = record.substr(key.size() + 1);
    }
    records.remove_prefix(length);
  }
  return value;
}

std::string without_dot(std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

}  // namespace

TarArchive::TarArchive(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const int code = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    fail_input("cannot open {}: {}", path_.string(), errno_text(code));
  }
  length_ = status.st_size;
  try {
    read_index();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

TarArchive::~TarArchive() {
  ::close(descriptor_);
}

std::string TarArchive::bytes(int64_t offset, int64_t size) const {
  if (offset + size > length_) {
    fail_input("{} is torn: it ends at byte {}, but goes on to byte {} at least; replace it",
               path_.string(), length_, offset + size);
  }
  std::string result(static_cast<size_t>(size), '\0');
  for (int64_t done = 0; done < size;) {
    const ssize_t count =
        ::pread(descriptor_, result.data() + done, static_cast<size_t>(size - done), offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot read {}: {}", path_.string(), errno_text(errno));
    if (count == 0) fail_input("{} became shorter while it was read; replace it", path_.string());
    done += count;
  }
  return result;
}

void TarArchive::read_index() {
  std::string long_name;  // of the next member
  std::string long_size;  // the same, as text
  for (int64_t at = 0;;) {
    // An archive ends with blocks of zeros, so one that merely stops was cut.
    const std::string block = bytes(at, kBlock);
    if (block.find_first_not_of('\0') == std::string::npos) break;
    auto size = number(block, 124, 12);
    if (!checksum_holds(block) || !size) {
      fail_input(
          "{} is no tar archive, or damaged at byte {}; replace it (compressed archives must "
          "be unpacked first)",
          path_.string(), at);
    }
    at += kBlock;
    const char kind = block[156];
    if (kind == 'L') long_name = field(bytes(at, *size), 0, std::string::npos);
    if (kind == 'x') {
      const std::string records = bytes(at, *size);
      if (auto path = pax_value(records, "path"); !path.empty()) long_name = std::move(path);
      long_size = pax_value(records, "size");
    }
    if (kind != 'L' && kind != 'x' && kind != 'g') {
      if (!long_size.empty()) {
        std::from_chars(long_size.data(), long_size.data() + long_size.size(), *size);
      }
      std::string name(field(block, 0, 100));
      if (field(block, 257, 5) == "ustar" && !field(block, 345, 155).empty() && block[263] == '0') {
        name = std::string(field(block, 345, 155)) + "/" + name;
      }
      if (!long_name.empty()) name = long_name;
      const bool regular = kind == '0' || kind == '\0' || kind == '7';
      if (regular) {
        if (at + *size > length_) bytes(at, *size);  // says that it is torn
        members_[without_dot(std::move(name))] = {at, *size};
      }
      long_name.clear();
      long_size.clear();
    }
    at += (*size + kBlock - 1) / kBlock * kBlock;
  }
}

std::string TarArchive::read(const std::string& name) const {
  const auto member = members_.find(name);
  if (member == members_.end()) fail_input("{} holds no {}", path_.string(), name);
  return bytes(member->second.offset, member->second.size);
}

}  // namespace remixer::data
