// SPDX-License-Identifier: Apache-2.0
// A temporary folder, removed on destruction.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/error.h"

namespace remixer {

// Created with mode 0700 in `base`, by default in the system's temporary folder; its name begins
// with `name`. Not copyable; used by one thread at a time. Throws Error if it cannot be made.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name = "remixer",
                           const std::filesystem::path& base = {}) {
    const auto& parent = base.empty() ? std::filesystem::temp_directory_path() : base;
    std::string pattern = (parent / (name + "-XXXXXX")).string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      fail("cannot make a folder in {}: {}", parent.string(), errno_text(errno));
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace remixer
