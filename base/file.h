// SPDX-License-Identifier: Apache-2.0
// Whole-file reads, atomic writes, file locks. Every file that the product leaves behind is made by
// write, fsync, atomic rename, so a reader sees a whole file or none.
//
// All functions throw Error naming the path and the system's reason. The umask applies as usual.
// Thread-safe, except that one object must be used by one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace remixer {

namespace fs = std::filesystem;

// The file's bytes. Throws InputError when it does not exist or is not a regular file.
std::string read_file(const fs::path& path);

// The file's bytes, or nothing if there is no such file.
std::optional<std::string> read_file_if_exists(const fs::path& path);

// Replaces `path` with `bytes` so that a crash at any moment leaves the old file or the new one:
// temporary file beside it, write, fsync, rename, fsync of the folder. Parent folders are created.
void write_file_atomic(const fs::path& path, std::string_view bytes, unsigned mode = 0644);

// Makes renames and creations inside `folder` durable.
void sync_folder(const fs::path& folder);

// Moves a finished file or folder to its final name and makes that durable. If `to` is already a
// non-empty folder, `from` is removed instead and false is returned.
bool publish(const fs::path& from, const fs::path& to);

// A file written piece by piece that appears at its final path only on commit(). If destroyed
// without commit(), it leaves nothing behind.
class AtomicFile {
 public:
  explicit AtomicFile(fs::path path, unsigned mode = 0644);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  uint64_t size() const { return size_; }
  // Fsync, rename, fsync of the folder. Call once.
  void commit();

 private:
  fs::path path_, temporary_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

// An exclusive lock (flock) on a file, held until destruction or until the process ends.
class FileLock {
 public:
  // Nothing if another process on this host holds the lock.
  static std::optional<FileLock> try_lock(const fs::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();
  // Replaces the lock file's text (which names the holder, for people and other hosts).
  void write(std::string_view text);

 private:
  FileLock(fs::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  fs::path path_;
  int descriptor_;
};

// True if the file system that holds `path` is shared between hosts (NFS, Lustre, CIFS, ...);
// SQLite's locks are not reliable there.
bool on_network_file_system(const fs::path& path);

}  // namespace remixer
