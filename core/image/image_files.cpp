// SPDX-License-Identifier: Apache-2.0
#include "core/image/image_files.h"

#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "core/image/image_decode.h"
#include "core/image/tar_archive.h"

namespace remixer::data {
namespace {

constexpr const char* kArchiveEnding = ".tar";
constexpr size_t kFirstBytes = size_t{1} << 16;

struct PlaceInArchive {
  std::shared_ptr<const TarArchive> archive;
  std::string member;
};

// The part of a path that is an archive; empty if there is none.
fs::path archive_prefix(const fs::path& path) {
  const std::string text = path.string();
  const std::string inside = std::string(kArchiveEnding) + "/";
  for (size_t at = text.find(inside); at != std::string::npos; at = text.find(inside, at + 1)) {
    const fs::path archive = text.substr(0, at + inside.size() - 1);
    if (fs::is_regular_file(archive)) return archive;
  }
  return {};
}

// The place inside an archive that a path leads to; empty if it leads to none.
std::optional<PlaceInArchive> place_in_archive(const fs::path& path) {
  const fs::path archive = archive_prefix(path);
  if (archive.empty()) return std::nullopt;
  return PlaceInArchive{open_archive(archive), path.string().substr(archive.string().size() + 1)};
}

// The first 64 KiB of a file, or all of a shorter one; empty if there is no such file.
std::optional<std::string> first_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string bytes(kFirstBytes, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

}  // namespace

std::shared_ptr<const TarArchive> open_archive(const fs::path& path) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const TarArchive>> archives;
  const std::lock_guard lock(mutex);
  auto& archive = archives[path.string()];
  if (!archive) archive = std::make_shared<const TarArchive>(path);
  return archive;
}

fs::path archive_of(const fs::path& path) {
  return archive_prefix(path);
}

std::string read_image_bytes(const fs::path& path) {
  const auto place = place_in_archive(path);
  return place ? place->archive->read(place->member) : read_file(path);
}

std::optional<std::string> read_image_bytes_if_exists(const fs::path& path) {
  const auto place = place_in_archive(path);
  if (!place) return read_file_if_exists(path);
  if (!place->archive->members().contains(place->member)) return std::nullopt;
  return place->archive->read(place->member);
}

ImageSize read_image_size(const fs::path& path) {
  const std::string name = path.string();
  // The header is at the start, unless a JPEG has large profiles or previews before it.
  if (!place_in_archive(path)) {
    const auto bytes = first_bytes(path);
    if (!bytes) fail_input("{}: the image is missing", name);
    if (bytes->size() < kFirstBytes) return decode_size(*bytes, name);
    try {
      return decode_size(*bytes, name);
    } catch (const InputError&) {
      // The header is longer.
    }
  }
  const auto bytes = read_image_bytes_if_exists(path);
  if (!bytes) fail_input("{}: the image is missing", name);
  return decode_size(*bytes, name);
}

}  // namespace remixer::data
