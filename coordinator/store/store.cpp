// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/store.h"

#include <SQLiteCpp/Backup.h>
#include <sqlite3.h>

#include "base/error.h"
#include "coordinator/store/connection.h"
#include "coordinator/store/schema.h"

namespace remixer::coordinator {

void rethrow(const SQLite::Exception& error, const std::string& what) {
  switch (error.getErrorCode()) {
    case SQLITE_FULL:
      fail("{}: the disk is full; make room and work continues", what);
    case SQLITE_READONLY:
      throw InputError(fmt::format("{}: the file or its folder is read-only", what));
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      throw InputError(
          fmt::format("{}: {}; put a backup in its place, or move it away and read the results "
                      "back from the run folders with `remixer adopt GRID...`",
                      what, error.what()));
    default:
      fail("{}: {}", what, error.what());
  }
}

Store::Connection::Connection(const std::string& file, int checkpoint_pages,
                              std::chrono::milliseconds patience)
    : own(std::make_unique<SQLite::Database>(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                             static_cast<int>(patience.count()))) {
  // Write nothing before the file is known to be ours.
  const std::string verdict = database.execAndGet("PRAGMA quick_check(1)").getString();
  if (verdict != "ok") {
    fail_input(
        "{} is damaged ({}); put a backup in its place, or move it away and read the results back "
        "from the run folders with `remixer adopt GRID...`",
        file, verdict);
  }
  database.exec("PRAGMA foreign_keys = OFF");
  migrate(database, file);
  database.exec("PRAGMA foreign_keys = ON");
  // The journal mode is stored in the file; the other two settings apply to this connection.
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec(fmt::format("PRAGMA wal_autocheckpoint = {}", checkpoint_pages));
  constexpr int kBusyMilliseconds = 5000;
  database.setBusyTimeout(kBusyMilliseconds);
}

namespace {

// The database itself or, for an older version, a migrated copy in memory.
std::unique_ptr<SQLite::Database> brought_forward(std::unique_ptr<SQLite::Database> readable,
                                                  const std::string& name) {
  const int version = readable->execAndGet("PRAGMA user_version").getInt();
  const int application = readable->execAndGet("PRAGMA application_id").getInt();
  if (application == kApplicationId && version == kSchemaVersion) return readable;
  auto copy =
      std::make_unique<SQLite::Database>(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  SQLite::Backup(*copy, *readable).executeStep(-1);
  migrate(*copy, name);
  return copy;
}

}  // namespace

Store::Connection::Connection(std::unique_ptr<SQLite::Database> readable, const std::string& name)
    : own(brought_forward(std::move(readable), name)), reading(true) {
  // One consistent snapshot for all queries.
  own->exec("BEGIN");
}

SQLite::Statement& Store::Connection::prepared(const char* sql) {
  auto found = statements.find(sql);
  if (found == statements.end()) {
    found = statements
                .emplace(std::piecewise_construct, std::forward_as_tuple(sql),
                         std::forward_as_tuple(database, sql))
                .first;
  }
  found->second.tryReset();
  found->second.clearBindings();
  return found->second;
}

Store::Store(const std::filesystem::path& file, int checkpoint_pages,
             std::chrono::milliseconds patience) {
  try {
    connection_ = std::make_unique<Connection>(file.string(), checkpoint_pages, patience);
  } catch (const SQLite::Exception& error) {
    const std::string what = fmt::format("cannot open the database {}", file.string());
    // Nothing has started yet, so this is a wrong choice of location by the user.
    if (error.getErrorCode() == SQLITE_FULL)
      fail_input("{}: the disk is full; make room first", what);
    if (error.getErrorCode() == SQLITE_BUSY) {
      fail(
          "{}: another program has been using it for {:g} s (a report, a backup, sqlite3 after "
          "BEGIN): wait until it ends, or end it, and try again",
          what, std::chrono::duration<double>(patience).count());
    }
    rethrow(error, what);
  }
}

Store::Store(std::unique_ptr<SQLite::Database> readable, const std::string& name) {
  try {
    connection_ = std::make_unique<Connection>(std::move(readable), name);
  } catch (const SQLite::Exception& error) {
    rethrow(error, "cannot read the database " + name);
  }
}

// A closed database should be a single file, readable on a read-only medium too. If other programs
// have it open, this has no effect; a later close does it.
Store::~Store() {
  if (!connection_ || connection_->reading) return;
  try {
    connection_->statements.clear();
    connection_->database.exec("PRAGMA busy_timeout = 100");
    connection_->database.exec("PRAGMA journal_mode = DELETE");
  } catch (const SQLite::Exception&) {
  }
}

}  // namespace remixer::coordinator
