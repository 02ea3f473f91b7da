#include "core/image/folders.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "base/error.h"
#include "base/file.h"

namespace remixer::data {

namespace {

unsigned big_endian(std::string_view bytes, size_t at, size_t count) {
  unsigned value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// The frame header of a JPEG: the first marker SOF0 to SOF15 that begins a frame.
ImageSize jpeg_size(std::string_view bytes) {
  size_t at = 2;
  while (at + 9 <= bytes.size()) {
    if (static_cast<uint8_t>(bytes[at]) != 0xff) return {};
    const unsigned marker = static_cast<uint8_t>(bytes[at + 1]);
    if (marker == 0xff) {  // fill byte
      ++at;
      continue;
    }
    const bool frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) {
      return {static_cast<int>(big_endian(bytes, at + 7, 2)),
              static_cast<int>(big_endian(bytes, at + 5, 2))};
    }
    at += 2 + big_endian(bytes, at + 2, 2);
  }
  return {};
}

}  // namespace

bool is_image(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix == ".jpg" || suffix == ".jpeg" || suffix == ".png";
}

bool all_numbers(const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return !name.empty() && name.size() <= 9 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); });
  });
}

std::vector<std::string> list_folders(const fs::path& folder) {
  if (!fs::is_directory(folder)) fail_input("{} is not a folder", folder.string());
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && name[0] != '.') names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  if (all_numbers(names)) {
    std::stable_sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
      return std::stoi(a) < std::stoi(b);
    });
  }
  return names;
}

std::vector<std::string> list_images(const fs::path& root, const std::string& below) {
  std::vector<std::string> images;
  const fs::path top = below.empty() ? root : root / below;
  if (!fs::is_directory(top)) fail_input("{} is not a folder", top.string());
  const auto options = fs::directory_options::follow_directory_symlink;
  for (const auto& entry : fs::recursive_directory_iterator(top, options)) {
    if (!is_image(entry.path()) || !entry.is_regular_file()) continue;
    images.push_back(entry.path().lexically_relative(root).string());
  }
  std::sort(images.begin(), images.end());
  return images;
}

ImageSize image_size(std::string_view bytes) {
  if (bytes.starts_with("\xff\xd8\xff")) return jpeg_size(bytes);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n") && bytes.size() >= 24) {
    return {static_cast<int>(big_endian(bytes, 16, 4)), static_cast<int>(big_endian(bytes, 20, 4))};
  }
  return {};
}

}  // namespace remixer::data
