// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace remixer::labelcache {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_input("cannot open {}: {}", path.string(), errno_text(errno));
  struct stat status {};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  void* data = MAP_FAILED;
  int code = 0;
  if (regular && status.st_size > 0) {
    data =
        ::mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_SHARED, descriptor, 0);
    code = errno;
  }
  ::close(descriptor);
  if (!regular) fail_input("{} is not a regular file", path.string());
  if (status.st_size == 0) return;
  if (data == MAP_FAILED) fail("cannot map {}: {}", path.string(), errno_text(code));
  bytes_ = {static_cast<const char*>(data), static_cast<size_t>(status.st_size)};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace remixer::labelcache
