// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/partial_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"

namespace remixer::labelcache {
namespace {

[[noreturn]] void fail_errno(std::string_view what, const std::filesystem::path& path) {
  const int code = errno;
  fail("cannot {} {}: {}", what, path.string(), errno_text(code));
}

constexpr double kSyncSeconds = 1;

}  // namespace

std::filesystem::path PartialFile::name_of(const std::filesystem::path& path) {
  return path.parent_path() / ("." + path.filename().string() + ".partial");
}

PartialFile::PartialFile(std::filesystem::path path)
    : path_(std::move(path)), partial_(name_of(path_)) {
  std::error_code code;
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), code);
  if (code) fail("cannot create folder {}: {}", path_.parent_path().string(), code.message());
  descriptor_ = ::open(partial_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail_errno("create", partial_);
  struct stat status {};
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const bool taken = errno == EWOULDBLOCK;
    ::close(descriptor_);
    if (taken) fail_input("{} is being made by another process; wait for it", path_.string());
    fail_errno("lock", partial_);
  }
  if (::fstat(descriptor_, &status) != 0) fail_errno("inspect", partial_);
  size_ = static_cast<uint64_t>(status.st_size);
  synced_ = system_clock().monotonic();
}

PartialFile::~PartialFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void PartialFile::truncate(uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) fail_errno("shorten", partial_);
  size_ = size;
}

void PartialFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (count < 0) {
      if (errno == EINTR) continue;
      fail_errno("write", partial_);
    }
    size_ += static_cast<uint64_t>(count);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

void PartialFile::sync(bool now) {
  const double time = system_clock().monotonic();
  if (!now && time - synced_ < kSyncSeconds) return;
  if (::fdatasync(descriptor_) != 0) fail_errno("sync", partial_);
  synced_ = time;
}

void PartialFile::commit() {
  if (::fsync(descriptor_) != 0) fail_errno("sync", partial_);
  if (::rename(partial_.c_str(), path_.c_str()) != 0) fail_errno("rename", partial_);
  ::close(descriptor_);
  descriptor_ = -1;
  sync_folder(path_.has_parent_path() ? path_.parent_path() : ".");
}

void PartialFile::discard() {
  if (descriptor_ < 0) return;
  ::unlink(partial_.c_str());
  ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace remixer::labelcache
