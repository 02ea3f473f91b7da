// SPDX-License-Identifier: Apache-2.0
#include "core/image/tar_archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parse_number.h"

namespace remixer::data {
namespace {

constexpr int64_t kBlock = 512;

// A field of a header block, by offset (POSIX.1-1988).
std::string_view field(std::string_view block, size_t at, size_t length) {
  const std::string_view text = block.substr(at, length);
  return text.substr(0, std::min(text.find('\0'), text.size()));
}

// Octal, or GNU's base 256 if the first bit is set.
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
  if (text.empty()) return 0;
  const auto value = parse_number<int64_t>(text, 8);
  return value && *value >= 0 ? value : std::nullopt;
}

// The sum of all bytes, with the checksum field counted as blanks.
bool checksum_holds(std::string_view block) {
  int64_t sum = 8 * ' ';
  for (size_t i = 0; i < block.size(); ++i) {
    if (i < 148 || i >= 156) sum += static_cast<uint8_t>(block[i]);
  }
  return number(block, 148, 8) == sum;
}

// The value of `key` in pax records ("27 path=a/long/name\n"); other keys are skipped.
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

// Open files of the most recently read archives.
class OpenFiles {
 public:
  // The archive's descriptor, reopened if it was closed meanwhile; -1 and errno if that
  // fails.
  std::shared_ptr<const Descriptor> get(uint64_t number, const fs::path& path) {
    const std::lock_guard lock(mutex_);
    const auto found = by_number_.find(number);
    if (found != by_number_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return recent_.front().second;
    }
    auto file = std::make_shared<const Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file->get() < 0) return file;
    recent_.emplace_front(number, file);
    by_number_[number] = recent_.begin();
    if (recent_.size() > kOpenArchives) {
      by_number_.erase(recent_.back().first);
      recent_.pop_back();
    }
    return file;
  }

 private:
  std::mutex mutex_;
  std::list<std::pair<uint64_t, std::shared_ptr<const Descriptor>>> recent_;
  std::map<uint64_t, decltype(recent_)::iterator> by_number_;
};

OpenFiles& open_files() {
  static OpenFiles files;
  return files;
}

struct FileState {
  int64_t length, modified;
};

FileState state_of(int descriptor, const fs::path& path) {
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    fail_input("cannot open {}: {}", path.string(), errno_text(errno));
  }
  return {status.st_size, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

// "a/b/../c" becomes "a/c": resolves a link's target relative to its member.
std::string beside(const std::string& member, const std::string& target) {
  const fs::path path = fs::path(member).parent_path() / target;
  return without_dot(path.lexically_normal().string());
}

}  // namespace

// A member's description, from its header and the extension headers before it.
struct TarArchive::Header {
  char kind = 0;
  std::string name, link;
  Member member;
};

TarArchive::TarArchive(std::filesystem::path path) : path_(std::move(path)) {
  static std::atomic<uint64_t> count{0};
  number_ = ++count;
  const auto file = open_files().get(number_, path_);
  const FileState state = state_of(file->get(), path_);
  length_ = state.length;
  modified_ = state.modified;
  read_index();
}

std::string TarArchive::bytes(int64_t offset, int64_t size) const {
  if (size > length_ - offset) {
    fail_input("{} is torn: it ends at byte {}, but goes on to byte {} at least; replace it",
               path_.string(), length_, offset + size);
  }
  const auto file = open_files().get(number_, path_);
  const FileState state = state_of(file->get(), path_);
  if (state.length != length_ || state.modified != modified_) {
    fail_input("{} changed while it was read; start again", path_.string());
  }
  std::string result(static_cast<size_t>(size), '\0');
  for (int64_t done = 0; done < size;) {
    const ssize_t count =
        ::pread(file->get(), result.data() + done, static_cast<size_t>(size - done), offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot read {}: {}", path_.string(), errno_text(errno));
    if (count == 0) fail_input("{} became shorter while it was read; replace it", path_.string());
    done += count;
  }
  return result;
}

void TarArchive::read_index() {
  std::string long_name, long_link;  // for the next member
  std::optional<int64_t> long_size;
  for (int64_t at = 0;;) {
    // An archive ends with zero blocks; one that merely stops was truncated.
    const std::string block = bytes(at, kBlock);
    if (block.find_first_not_of('\0') == std::string::npos) break;
    auto size = number(block, 124, 12);
    if (!checksum_holds(block) || !size) {
      fail_input(
          "{} is no tar archive, or damaged at byte {}; replace it (compressed archives must "
          "be unpacked first)",
          path_.string(), at);
    }
    const char kind = block[156];
    at += kBlock;
    if (kind == 'L' || kind == 'K') {
      std::string text(field(bytes(at, *size), 0, std::string::npos));
      (kind == 'L' ? long_name : long_link) = std::move(text);
    } else if (kind == 'x') {
      const std::string records = bytes(at, *size);
      if (auto path = pax_value(records, "path"); !path.empty()) long_name = std::move(path);
      if (auto path = pax_value(records, "linkpath"); !path.empty()) long_link = std::move(path);
      if (const std::string text = pax_value(records, "size"); !text.empty()) {
        long_size = parse_number<int64_t>(text);
        if (!long_size) fail_input("{} is damaged at byte {}; replace it", path_.string(), at);
      }
    } else if (kind != 'g') {
      if (long_size) size = long_size;
      Header header{kind,
                    std::string(field(block, 0, 100)),
                    std::string(field(block, 157, 100)),
                    {at, *size}};
      if (field(block, 257, 5) == "ustar" && !field(block, 345, 155).empty() && block[263] == '0') {
        header.name = std::string(field(block, 345, 155)) + "/" + header.name;
      }
      if (!long_name.empty()) header.name = std::move(long_name);
      if (!long_link.empty()) header.link = std::move(long_link);
      // A link has no data, whatever its size field says.
      if (kind == '1' || kind == '2') size = 0;
      if (*size > length_ - at) bytes(at, *size);  // throws that the archive is torn
      add(std::move(header));
      long_name.clear();
      long_link.clear();
      long_size.reset();
    }
    if (*size > length_ - at) bytes(at, *size);
    at += (*size + kBlock - 1) / kBlock * kBlock;
  }
  resolve_links();
}

void TarArchive::add(Header header) {
  const std::string name = without_dot(std::move(header.name));
  // A later member of the same name replaces an earlier one.
  members_.erase(name);
  links_.erase(name);
  others_.erase(name);
  switch (header.kind) {
    case '0':
    case '\0':
    case '7':
      // Old archives store a folder as a file whose name ends in '/'.
      if (!name.ends_with('/')) members_[name] = header.member;
      break;
    case '1':
      links_[name] = without_dot(std::move(header.link));
      break;
    case '2':
      links_[name] = beside(name, header.link);
      break;
    case '5':
      break;
    default:
      others_[name] = PassedOver::kSpecial;
  }
}

// Follows links to links as far as a file system would.
void TarArchive::resolve_links() {
  constexpr int kLongestChain = 40;
  std::map<std::string, Member> found;
  for (const auto& [name, target] : links_) {
    const std::string* at = &target;
    for (int i = 0; i < kLongestChain; ++i) {
      const auto next = links_.find(*at);
      if (next == links_.end()) break;
      at = &next->second;
    }
    const auto member = members_.find(*at);
    if (member != members_.end()) {
      found.emplace(name, member->second);
    } else {
      others_[name] = PassedOver::kLinkNowhere;
    }
  }
  members_.merge(found);
}

std::string TarArchive::read(const std::string& name) const {
  const auto member = members_.find(name);
  if (member == members_.end()) fail_input("{} holds no {}", path_.string(), name);
  return bytes(member->second.offset, member->second.size);
}

}  // namespace remixer::data
