// SPDX-License-Identifier: Apache-2.0
// Deletes files of removed tasks on a background thread, so that the engine never waits for a disk.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace remixer::coordinator {

// Thread-safe. Files that a crash leaves in the trash are deleted by the next daemon process.
class FileDeleter {
 public:
  explicit FileDeleter(std::filesystem::path workspace);
  // Finishes pending deletions.
  ~FileDeleter();
  FileDeleter(const FileDeleter&) = delete;
  FileDeleter& operator=(const FileDeleter&) = delete;

  // Moves a file or folder of the workspace (given by relative path) to the trash at once, in the
  // caller's thread, and deletes it later.
  void remove(const std::string& path);
  // Same for several paths, on the deleter's thread: returns at once. Calls `then` there when all
  // have been moved to the trash.
  void remove_soon(std::vector<std::string> paths, std::function<void()> then);
  // Returns when all earlier remove_soon() calls are done, including their `then`.
  void wait();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
