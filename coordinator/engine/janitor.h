// SPDX-License-Identifier: Apache-2.0
// Deletes files of removed tasks on a background thread, so that the engine never waits for a disk.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace remixer::coordinator {

// Thread-safe. What a crash leaves in the trash is deleted by the next life.
class Janitor {
 public:
  explicit Janitor(std::filesystem::path workspace);
  // Finishes what was begun.
  ~Janitor();
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

  // Takes a file or folder of the workspace (a path relative to it) out of its place at once, in
  // the caller's thread, and deletes it afterwards.
  void remove(const std::string& path);
  // The same of several, in the janitor's thread: returns at once. `then` is called there when all
  // are out of their places.
  void remove_soon(std::vector<std::string> paths, std::function<void()> then);
  // Returns when all that remove_soon() was told before is done, its `then` called.
  void wait();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
