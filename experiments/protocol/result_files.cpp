// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/result_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/failpoint.h"
#include "base/hash.h"

namespace remixer::experiments::protocol {

namespace fs = std::filesystem;

namespace {

bool is_path(const std::string& text) {
  constexpr std::array<const char*, 4> kFolders = {"runs/", "datasets/", "labels/", "models/"};
  const bool below = std::any_of(kFolders.begin(), kFolders.end(), [&](const char* folder) {
    return text.starts_with(folder) && text.size() > std::char_traits<char>::length(folder);
  });
  if (!below || text.find('\0') != std::string::npos) return false;
  const fs::path path(text);
  return std::none_of(path.begin(), path.end(),
                      [](const fs::path& part) { return part == ".." || part == "."; });
}

void collect(const Json& json, std::vector<ResultFile>& files) {
  if (json.is_string() && is_path(json.get_ref<const std::string&>())) {
    files.push_back({json.get<std::string>(), ""});
  }
  if (json.is_array()) {
    for (const Json& each : json) collect(each, files);
  }
  if (!json.is_object()) return;
  for (const auto& [name, value] : json.items()) {
    const size_t first = files.size();
    collect(value, files);
    const auto hash = json.find(name + "_sha256");
    if (value.is_string() && files.size() > first && hash != json.end() && hash->is_string()) {
      files.back().sha256 = hash->get<std::string>();
    }
  }
}

}  // namespace

std::vector<ResultFile> result_files(const Json& result) {
  std::vector<ResultFile> files;
  collect(result, files);
  return files;
}

std::optional<std::string> result_damage(const fs::path& workspace, const Json& result,
                                         bool hashes) {
  for (const ResultFile& file : result_files(result)) {
    std::error_code code;
    failpoint("look-at-file");
    if (!fs::exists(workspace / file.path, code)) return fmt::format("{} is gone", file.path);
    if (!hashes || file.sha256.empty()) continue;
    try {
      if (sha256_file(workspace / file.path) != file.sha256) {
        return fmt::format("{} is not the file that the result names (its SHA-256 differs)",
                           file.path);
      }
    } catch (const std::exception& error) {
      return error.what();
    }
  }
  return std::nullopt;
}

std::string folder_of_task(const std::string& path) {
  if (!path.starts_with("runs/")) return path;
  return path.substr(0, path.find('/', 5));
}

}  // namespace remixer::experiments::protocol
