// SPDX-License-Identifier: Apache-2.0
#include "core/image/folders.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/file.h"
#include "core/image/source_tree.h"

namespace remixer::data {

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
  sort_folders(names);
  return names;
}

void sort_folders(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  if (!all_numbers(names)) return;
  std::stable_sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::stoi(a) < std::stoi(b);
  });
}

std::vector<std::string> list_images(const fs::path& root, const std::string& below) {
  std::vector<std::string> images;
  const std::string prefix = below.empty() ? "" : below + "/";
  const SourceTree tree = SourceTree::walk(below.empty() ? root : root / below);
  for (const SourceFile& file : tree.files()) {
    if (file.why == PassedOver::kLinkNowhere || file.why == PassedOver::kUnreadable) {
      fail_input("{}: {}", (tree.root() / file.path).string(), passed_over_text(file.why));
    }
    if (file.why == PassedOver::kNot) images.push_back(prefix + file.path);
  }
  return images;
}

}  // namespace remixer::data
