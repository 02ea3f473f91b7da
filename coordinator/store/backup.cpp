// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/backup.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "coordinator/store/connection.h"
#include "coordinator/store/schema.h"

namespace remixer::coordinator {
namespace {

// Removes a database with the files that exist beside it while it is open.
void remove_with_companions(const fs::path& file) {
  std::error_code ignored;
  for (const char* end : {"", "-journal", "-wal", "-shm"}) {
    fs::remove(fs::path(file.string() + end), ignored);
  }
}

void copy_database(const fs::path& from, SQLite::Database& target) {
  SQLite::Database source(from.string(), SQLite::OPEN_READONLY, 5000);
  if (source.execAndGet("PRAGMA application_id").getInt() != kApplicationId) {
    fail_input("{} is not a database of this program", from.string());
  }
  // All pages in one step: a consistent snapshot, however busy the writer is.
  SQLite::Backup(target, source).executeStep(-1);
  // A single file, which can be opened on a read-only file system.
  target.exec("PRAGMA journal_mode = DELETE");
}

void check(SQLite::Database& target, const fs::path& from) {
  const std::string verdict = target.execAndGet("PRAGMA integrity_check(1)").getString();
  if (verdict != "ok") fail("the copy of {} is damaged: {}", from.string(), verdict);
}

}  // namespace

uintmax_t write_copy(const fs::path& from, const fs::path& to, const std::string& doing,
                     const std::function<void(SQLite::Database&)>& fill) {
  if (fs::exists(to)) fail_input("{} exists already: name a new file", to.string());
  const fs::path partial(to.string() + fmt::format(".partial-{}", ::getpid()));
  remove_with_companions(partial);
  try {
    if (to.has_parent_path()) fs::create_directories(to.parent_path());
    {
      SQLite::Database target(partial.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      copy_database(from, target);
      fill(target);
      check(target, from);
    }
    const uintmax_t bytes = fs::file_size(partial);
    publish(partial, to);
    return bytes;
  } catch (const SQLite::Exception& error) {
    remove_with_companions(partial);
    rethrow(error, doing);
  } catch (...) {
    remove_with_companions(partial);
    throw;
  }
}

BackupSummary back_up(const fs::path& from, const fs::path& to) {
  BackupSummary summary;
  summary.bytes =
      write_copy(from, to, fmt::format("cannot back up {} to {}", from.string(), to.string()),
                 [&](SQLite::Database& copy) {
                   summary.grids = copy.execAndGet("SELECT count(*) FROM grid").getInt64();
                   summary.tasks = copy.execAndGet("SELECT count(*) FROM task").getInt64();
                   summary.results = copy.execAndGet("SELECT count(*) FROM results").getInt64();
                 });
  return summary;
}

}  // namespace remixer::coordinator
