// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/publish.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace remixer::coordinator {

using experiments::protocol::Publication;

namespace {

// True for a path below `top` without "." or ".." parts.
bool inside(const std::string& path, const std::string& top) {
  const fs::path plain(path);
  if (plain.is_absolute() || path.find('\0') != std::string::npos) return false;
  const bool detour = std::any_of(plain.begin(), plain.end(), [](const fs::path& part) {
    return part == ".." || part == "." || part.empty();
  });
  return !detour && path.size() > top.size() + 1 && path.compare(0, top.size() + 1, top + "/") == 0;
}

bool allowed_place(const std::string& path) {
  constexpr std::array<const char*, 3> kPlaces = {"datasets", "labels", "models"};
  return std::any_of(kPlaces.begin(), kPlaces.end(),
                     [&](const char* place) { return inside(path, place); });
}

// A symbolic link could lead outside the folder.
void check_links(const fs::path& workspace, const std::string& path) {
  fs::path walked = workspace;
  for (const fs::path& part : fs::path(path)) {
    walked /= part;
    if (fs::is_symlink(fs::symlink_status(walked))) {
      fail_input("cannot publish {}: {} is a symbolic link", path, walked.string());
    }
  }
}

bool there(const fs::path& path) {
  return fs::exists(fs::symlink_status(path));
}

}  // namespace

void publish_all(const fs::path& workspace, const std::string& folder,
                 const std::vector<Publication>& publications) {
  for (const Publication& each : publications) {
    if (!inside(each.from, folder)) {
      fail_input("cannot publish '{}': it is not inside {}", each.from, folder);
    }
    if (!allowed_place(each.to)) {
      fail_input("cannot publish to '{}': it is not below datasets/, labels/ or models/", each.to);
    }
    check_links(workspace, each.from);
    check_links(workspace, each.to);
    if (!there(workspace / each.from) && !there(workspace / each.to)) {
      fail("cannot publish '{}': there is no such file or folder", each.from);
    }
  }
  for (const Publication& each : publications) {
    if (there(workspace / each.from)) publish(workspace / each.from, workspace / each.to);
  }
}

bool published(const std::string& path) {
  return allowed_place(path);
}

}  // namespace remixer::coordinator
