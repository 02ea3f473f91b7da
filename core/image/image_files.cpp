#include "core/image/image_files.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "core/image/folders.h"
#include "core/image/tar_archive.h"

namespace remixer::data {
namespace {

constexpr const char* kArchiveEnding = ".tar";

// The archive at the path, opened once.
std::shared_ptr<const TarArchive> open_archive(const fs::path& path) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const TarArchive>> archives;
  const std::lock_guard lock(mutex);
  auto& archive = archives[path.string()];
  if (!archive) archive = std::make_shared<const TarArchive>(path);
  return archive;
}

// A name that sorts numbers as numbers, before all others.
std::pair<long long, std::string> sort_key(const std::string& name) {
  long long value = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), value);
  const bool whole = code == std::errc() && end == name.data() + name.size() && value >= 0;
  return {whole ? value : std::numeric_limits<long long>::max(), name};
}

// Images by their class's name.
class Collector {
 public:
  void add_folder(const fs::path& root, const fs::path& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(
             folder, fs::directory_options::follow_directory_symlink)) {
      if (!entry.is_regular_file()) continue;
      const fs::path path = entry.path().lexically_relative(root);
      if (path.extension() == kArchiveEnding) {
        add_archive(entry.path(), path.string() + "/");
      } else if (is_image(path)) {
        add(path.string(), path.has_parent_path() ? path.begin()->string() : "");
      }
    }
  }

  // `prefix` stands before the members' names.
  void add_archive(const fs::path& path, const std::string& prefix) {
    const auto archive = open_archive(path);
    for (const auto& [name, member] : archive->members()) {
      if (!is_image(name)) continue;
      const auto beside =
          archive->members().find(fs::path(name).replace_extension(".cls").string());
      const std::string parent = fs::path(name).parent_path().filename().string();
      add(prefix + name,
          beside != archive->members().end() ? number_in(*archive, beside->first) : parent);
    }
  }

  ImageListing finish(const fs::path& root) {
    if (images_.empty()) fail_input("{} holds no .jpg, .jpeg or .png", root.string());
    if (const auto lost = images_.find(""); lost != images_.end()) {
      fail_input("{}: {} stands in no class; put each class's images into a folder of its own",
                 root.string(), lost->second.front());
    }
    std::vector<std::string> names;
    for (const auto& [name, paths] : images_) names.push_back(name);
    std::sort(names.begin(), names.end(),
              [](const auto& a, const auto& b) { return sort_key(a) < sort_key(b); });
    ImageListing listing;
    for (const std::string& name : names) {
      auto& paths = images_[name];
      std::sort(paths.begin(), paths.end());
      for (std::string& path : paths) {
        listing.images.push_back({std::move(path), static_cast<int>(listing.classes.size())});
      }
      listing.classes.push_back(name);
    }
    return listing;
  }

 private:
  void add(std::string path, const std::string& name) { images_[name].push_back(std::move(path)); }

  static std::string number_in(const TarArchive& archive, const std::string& member) {
    const std::string text = archive.read(member);
    return text.substr(0, text.find_first_of(" \r\n"));
  }

  std::map<std::string, std::vector<std::string>> images_;
};

struct PlaceInArchive {
  std::shared_ptr<const TarArchive> archive;
  std::string member;
};

// Where a path leads into an archive; nothing where it does not.
std::optional<PlaceInArchive> place_in_archive(const fs::path& path) {
  const std::string text = path.string();
  const std::string inside = std::string(kArchiveEnding) + "/";
  for (size_t at = text.find(inside); at != std::string::npos; at = text.find(inside, at + 1)) {
    const fs::path archive = text.substr(0, at + inside.size() - 1);
    if (fs::is_regular_file(archive)) {
      return PlaceInArchive{open_archive(archive), text.substr(at + inside.size())};
    }
  }
  return std::nullopt;
}

// The first 64 KiB of a file, or all of a shorter one; nothing where there is no such file.
std::optional<std::string> first_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string bytes(size_t{1} << 16, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

}  // namespace

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
  // The header is at the beginning, unless a JPEG carries large profiles or previews before it.
  std::optional<std::string> bytes;
  if (!place_in_archive(path)) bytes = first_bytes(path);
  ImageSize size = bytes ? image_size(*bytes) : ImageSize{};
  if (size.width < 1) {
    bytes = read_image_bytes_if_exists(path);
    if (bytes) size = image_size(*bytes);
  }
  if (size.width < 1 || size.height < 1) {
    fail_input("{}: {}", path.string(),
               !bytes           ? "the image is missing"
               : bytes->empty() ? "the image is empty"
                                : "neither a JPEG nor a PNG, or torn");
  }
  return size;
}

bool has_archives(const fs::path& path) {
  if (!fs::is_directory(path)) return path.extension() == kArchiveEnding;
  const fs::directory_iterator entries(path);
  return std::any_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    return entry.is_regular_file() && entry.path().extension() == kArchiveEnding;
  });
}

ImageListing list_images(const fs::path& root) {
  Collector collector;
  if (fs::is_directory(root)) {
    collector.add_folder(root, root);
  } else if (root.extension() == kArchiveEnding) {
    collector.add_archive(root, "");
  } else {
    fail_input("{} is neither a folder nor a tar archive", root.string());
  }
  return collector.finish(root);
}

}  // namespace remixer::data
