// Deletes files of removed tasks, in a thread of its own: the engine does not wait for a disk.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace remixer::coordinator {

// Thread-safe. What a crash leaves in the trash is deleted by the next life.
class Janitor {
 public:
  explicit Janitor(std::filesystem::path workspace);
  // Finishes what was begun.
  ~Janitor();
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

  // Takes a file or folder of the workspace (a path relative to it) out of its place at once, and
  // deletes it afterwards.
  void remove(const std::string& path);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
