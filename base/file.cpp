// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/descriptor.h"
#include "base/error.h"

namespace remixer {

std::string errno_text(int code) {
  return std::error_code(code, std::generic_category()).message();
}

namespace {

[[noreturn]] void fail_errno(std::string_view what, const fs::path& path) {
  const int code = errno;
  fail("{} {}: {}", what, path.string(), errno_text(code));
}

fs::path temporary_name(const fs::path& path) {
  static std::atomic<uint64_t> counter{0};
  return path.parent_path() /
         fmt::format(".{}.{}.{}.tmp", path.filename().string(), ::getpid(), counter++);
}

void write_all(int descriptor, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      fail_errno("cannot write", path);
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void create_parent(const fs::path& path) {
  std::error_code code;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), code);
  if (code) fail("cannot create folder {}: {}", path.parent_path().string(), code.message());
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

std::optional<std::string> read_file_if_exists(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    fail_errno("cannot open", path);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_errno("cannot inspect", path);
  if (S_ISDIR(status.st_mode)) fail_input("{} is a folder, a file was expected", path.string());
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  size_t filled = 0;
  for (;;) {
    if (filled == bytes.size()) bytes.resize(bytes.size() + 4096);
    const ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0) {
      if (errno == EINTR) continue;
      fail_errno("cannot read", path);
    }
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

std::string read_file(const fs::path& path) {
  auto bytes = read_file_if_exists(path);
  if (!bytes) fail_input("no such file: {}", path.string());
  return std::move(*bytes);
}

void write_file_atomic(const fs::path& path, std::string_view bytes, unsigned mode) {
  AtomicFile file(path, mode);
  file.write(bytes);
  file.commit();
}

void sync_folder(const fs::path& folder) {
  Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) fail_errno("cannot open folder", folder);
  // Some network file systems refuse to sync a folder; their renames are durable by themselves.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    fail_errno("cannot sync folder", folder);
  }
}

bool publish(const fs::path& from, const fs::path& to) {
  create_parent(to);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST) {
      fs::remove_all(from);
      return false;
    }
    const int code = errno;
    fail("cannot move {} to {}: {}", from.string(), to.string(), errno_text(code));
  }
  sync_folder(folder_of(to));
  return true;
}

AtomicFile::AtomicFile(fs::path path, unsigned mode)
    : path_(std::move(path)), temporary_(temporary_name(path_)) {
  create_parent(path_);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor_ < 0) fail_errno("cannot create", path_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  write_all(descriptor_, bytes, path_);
  size_ += bytes.size();
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail_errno("cannot sync", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno("cannot rename to", path_);
  ::close(descriptor_);
  descriptor_ = -1;
  sync_folder(folder_of(path_));
}

std::optional<FileLock> FileLock::try_lock(const fs::path& path) {
  create_parent(path);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) fail_errno("cannot open lock file", path);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    ::close(descriptor);
    if (code == EWOULDBLOCK) return std::nullopt;
    errno = code;
    fail_errno("cannot lock", path);
  }
  return FileLock(path, descriptor);
}

FileLock::FileLock(FileLock&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(other.descriptor_) {
  other.descriptor_ = -1;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void FileLock::write(std::string_view text) {
  if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) != 0) {
    fail_errno("cannot rewrite lock file", path_);
  }
  write_all(descriptor_, text, path_);
}

bool on_network_file_system(const fs::path& path) {
  struct statfs status {};
  fs::path existing = fs::absolute(path);
  while (::statfs(existing.c_str(), &status) != 0) {
    if (errno != ENOENT || !existing.has_relative_path()) return false;
    existing = existing.parent_path();
  }
  switch (static_cast<uint32_t>(status.f_type)) {
    case 0x6969:      // NFS
    case 0xFF534D42:  // CIFS
    case 0xFE534D42:  // SMB2
    case 0x0BD00BD0:  // Lustre
    case 0x47504653:  // GPFS
    case 0x19830326:  // BeeGFS
    case 0x00C36400:  // Ceph
    case 0xAAD7AAEA:  // Panasas
      return true;
    default:
      return false;
  }
}

}  // namespace remixer
