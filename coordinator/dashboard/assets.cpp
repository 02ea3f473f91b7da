// SPDX-License-Identifier: Apache-2.0
#include "coordinator/dashboard/assets.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace remixer::coordinator {

// Made by cmake/embed_files.cmake.
extern const Asset kAssets[];
extern const unsigned kAssetCount;

const Asset* find_asset(std::string_view name) {
  const Asset* end = kAssets + kAssetCount;
  const Asset* found =
      std::find_if(kAssets, end, [&](const Asset& each) { return each.name == name; });
  return found == end ? nullptr : found;
}

std::string content_type_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, const char*>, 5> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

}  // namespace remixer::coordinator
