// SPDX-License-Identifier: Apache-2.0
// A SQLite file system that passes everything on and keeps a record: each write, truncation, sync
// and deletion of the database and its log, in order. From the record, what a disk may hold after a
// power cut at any moment can be built.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace remixer::coordinator::testing {

struct DiskOperation {
  enum class Kind { kWrite, kTruncate, kSync, kDelete };
  Kind kind = Kind::kWrite;
  std::string file;    // full path
  int64_t offset = 0;  // of a write; the size of a truncation
  std::string bytes;
};

// The default file system of SQLite while it lives. One at a time; all databases opened meanwhile
// are recorded.
class RecordingVfs {
 public:
  RecordingVfs();
  ~RecordingVfs();
  RecordingVfs(const RecordingVfs&) = delete;
  RecordingVfs& operator=(const RecordingVfs&) = delete;

  const std::vector<DiskOperation>& operations() const;
};

// A file's bytes; none where it is not there.
using Image = std::map<std::string, std::optional<std::string>>;

// What happens to writes that were not synced when the power goes.
enum class Tail {
  kKept,     // all have reached the disk
  kDropped,  // none has
  kTorn,     // all but the last, of which only the first sectors
  kLastOnly  // only the last: a disk may write in any order
};

// Goes through a record, from the beginning to any of its prefixes in turn.
class DiskReplay {
 public:
  // `with_sync` false: as if the program had never asked for a sync.
  DiskReplay(const std::vector<DiskOperation>& operations, bool with_sync)
      : operations_(operations), with_sync_(with_sync) {}

  // One operation more. False at the end.
  bool advance();
  // The disk after a power cut now.
  Image image(Tail tail) const;

 private:
  const std::vector<DiskOperation>& operations_;
  bool with_sync_;
  size_t next_ = 0;
  Image durable_;                                          // as of the last sync of each file
  std::map<std::string, std::vector<size_t>> not_synced_;  // operations since
};

}  // namespace remixer::coordinator::testing
