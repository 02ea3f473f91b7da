// SPDX-License-Identifier: Apache-2.0
// The workspace's database, read without a daemon: answers in the shape of docs/api.md, made from
// the stable views of docs/database.md. What only a daemon knows (running steps, time left,
// workers) is missing or null.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/json.h"

namespace SQLite {
class Database;
}

namespace remixer::coordinator::command {

// Read-only: nothing here can change the database. One thread at a time. Throws InputError where
// there is no database, Error where it cannot be read.
class DatabaseReader {
 public:
  explicit DatabaseReader(const std::filesystem::path& file);
  ~DatabaseReader();

  // Of GET /status: `grids` (id, name, state, cells, cells_done, cells_failed, tasks, states,
  // kinds, seconds_left = null), `running`, `failures`, `finished`, `workers`.
  Json status();
  // As GET /tasks: task_id, kind, cell_id, title, state, reason, grids.
  Json tasks();
  // As GET /grids/{id}: the grid object and `cell_list`. Null where there is no such grid.
  Json grid(int64_t id);

  SQLite::Database& database() { return *database_; }

 private:
  std::unique_ptr<SQLite::Database> database_;
};

}  // namespace remixer::coordinator::command
