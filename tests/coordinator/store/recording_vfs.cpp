// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/store/recording_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace remixer::coordinator::testing {
namespace {

constexpr size_t kSector = 512;

std::vector<DiskOperation> g_operations;
sqlite3_vfs* g_real = nullptr;

// A file of ours: SQLite's own behind it, in the same allocation.
struct RecordedFile {
  sqlite3_file base;
  char* name;
  bool recorded;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

RecordedFile* of(sqlite3_file* file) {
  return reinterpret_cast<RecordedFile*>(file);
}

void record(RecordedFile* file, DiskOperation::Kind kind, int64_t offset,
            const void* bytes = nullptr, size_t count = 0) {
  if (!file->recorded) return;
  g_operations.push_back(
      {kind, file->name, offset, std::string(static_cast<const char*>(bytes), count)});
}

int close_file(sqlite3_file* file) {
  const int code = of(file)->real()->pMethods->xClose(of(file)->real());
  std::free(of(file)->name);
  return code;
}
int read_file(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
  return of(file)->real()->pMethods->xRead(of(file)->real(), to, count, offset);
}
int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  record(of(file), DiskOperation::Kind::kWrite, offset, from, static_cast<size_t>(count));
  return of(file)->real()->pMethods->xWrite(of(file)->real(), from, count, offset);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  record(of(file), DiskOperation::Kind::kTruncate, size);
  return of(file)->real()->pMethods->xTruncate(of(file)->real(), size);
}
int sync_file(sqlite3_file* file, int flags) {
  const int code = of(file)->real()->pMethods->xSync(of(file)->real(), flags);
  record(of(file), DiskOperation::Kind::kSync, 0);
  return code;
}
int size_file(sqlite3_file* file, sqlite3_int64* size) {
  return of(file)->real()->pMethods->xFileSize(of(file)->real(), size);
}
int lock_file(sqlite3_file* file, int level) {
  return of(file)->real()->pMethods->xLock(of(file)->real(), level);
}
int unlock_file(sqlite3_file* file, int level) {
  return of(file)->real()->pMethods->xUnlock(of(file)->real(), level);
}
int reserved_file(sqlite3_file* file, int* out) {
  return of(file)->real()->pMethods->xCheckReservedLock(of(file)->real(), out);
}
int control_file(sqlite3_file* file, int what, void* argument) {
  return of(file)->real()->pMethods->xFileControl(of(file)->real(), what, argument);
}
int sector_file(sqlite3_file*) {
  return kSector;
}
// No promises about order or tearing: the least that a disk may do.
int traits_file(sqlite3_file*) {
  return 0;
}
int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  return of(file)->real()->pMethods->xShmMap(of(file)->real(), region, size, extend, out);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return of(file)->real()->pMethods->xShmLock(of(file)->real(), offset, count, flags);
}
void barrier_shared(sqlite3_file* file) {
  of(file)->real()->pMethods->xShmBarrier(of(file)->real());
}
int unmap_shared(sqlite3_file* file, int remove) {
  return of(file)->real()->pMethods->xShmUnmap(of(file)->real(), remove);
}

const sqlite3_io_methods kMethods = {
    2,           close_file, read_file,   write_file,     truncate_file, sync_file,
    size_file,   lock_file,  unlock_file, reserved_file,  control_file,  sector_file,
    traits_file, map_shared, lock_shared, barrier_shared, unmap_shared,  nullptr,
    nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  RecordedFile* const mine = of(file);
  mine->recorded =
      name && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
  mine->name = ::strdup(name ? name : "");
  const int code = g_real->xOpen(g_real, name, mine->real(), flags, out);
  file->pMethods = code == SQLITE_OK ? &kMethods : nullptr;
  if (code != SQLITE_OK) std::free(mine->name);
  return code;
}

int delete_file(sqlite3_vfs*, const char* name, int sync) {
  g_operations.push_back({DiskOperation::Kind::kDelete, name, 0, ""});
  return g_real->xDelete(g_real, name, sync);
}

sqlite3_vfs g_vfs;

// The file's bytes after one operation, of which only the first `most` bytes count.
void apply(std::optional<std::string>& file, const DiskOperation& operation, size_t most) {
  switch (operation.kind) {
    case DiskOperation::Kind::kWrite: {
      if (!file) file.emplace();
      const size_t count = std::min(most, operation.bytes.size());
      const auto offset = static_cast<size_t>(operation.offset);
      if (file->size() < offset + count) file->resize(offset + count, '\0');
      file->replace(offset, count, operation.bytes, 0, count);
      return;
    }
    case DiskOperation::Kind::kTruncate:
      if (!file) file.emplace();
      file->resize(static_cast<size_t>(operation.offset), '\0');
      return;
    case DiskOperation::Kind::kDelete:
      file.reset();
      return;
    case DiskOperation::Kind::kSync:
      return;
  }
}

}  // namespace

RecordingVfs::RecordingVfs() {
  g_operations.clear();
  g_real = sqlite3_vfs_find(nullptr);
  g_vfs = *g_real;
  g_vfs.zName = "recording";
  g_vfs.szOsFile = static_cast<int>(sizeof(RecordedFile)) + g_real->szOsFile;
  g_vfs.pNext = nullptr;
  g_vfs.xOpen = open_file;
  g_vfs.xDelete = delete_file;
  sqlite3_vfs_register(&g_vfs, 1);
}

RecordingVfs::~RecordingVfs() {
  sqlite3_vfs_unregister(&g_vfs);
  sqlite3_vfs_register(g_real, 1);
}

const std::vector<DiskOperation>& RecordingVfs::operations() const {
  return g_operations;
}

bool DiskReplay::advance() {
  if (next_ == operations_.size()) return false;
  const DiskOperation& operation = operations_[next_];
  std::vector<size_t>& pending = not_synced_[operation.file];
  if (operation.kind != DiskOperation::Kind::kSync) {
    pending.push_back(next_);
  } else if (with_sync_) {
    for (const size_t each : pending) {
      apply(durable_[operation.file], operations_[each], std::string::npos);
    }
    pending.clear();
  }
  ++next_;
  return true;
}

Image DiskReplay::image(Tail tail) const {
  Image image = durable_;
  for (const auto& [file, pending] : not_synced_) {
    for (size_t i = 0; i < pending.size(); ++i) {
      const bool last = pending[i] + 1 == next_;
      const DiskOperation& operation = operations_[pending[i]];
      if (tail == Tail::kDropped || (tail == Tail::kLastOnly && !last)) continue;
      const size_t half = operation.bytes.size() / 2 / kSector * kSector;
      apply(image[file], operation, tail == Tail::kTorn && last ? half : std::string::npos);
    }
  }
  return image;
}

}  // namespace remixer::coordinator::testing
