// SPDX-License-Identifier: Apache-2.0
// Reads a workspace's state from its daemon, or from the database if no daemon answers.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/json.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/ask/stored_state.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator::command {

// Answers as in docs/api.md, from the same views with or without a daemon. What only a daemon knows
// (a task's progress, when it will be done, which workers run) is null or missing without one. One
// thread at a time.
class Source {
 public:
  // Throws InputError if the workspace has neither.
  explicit Source(const fs::path& workspace);

  bool has_daemon() const { return session_.has_value(); }
  Session& session() { return session_.value(); }
  // Whether it was made by `remixer export`: to be read, not to run anything in.
  bool is_export() const;

  Json status();
  Json grids();           // a list, newest first
  Json grid(int64_t id);  // with cell_list
  Json tasks();           // a list
  // As GET /tasks, one page; of all grids if `grid` is empty.
  Json tasks_page(const std::string& grid, int64_t after);
  Json tasks_of(int64_t grid);
  // The task that find_task() finds.
  Json task(const std::string& text);
  // As GET /tasks/{id}: everything known about it.
  Json whole_task(const std::string& id);

 private:
  Json all_tasks(const TaskFilter& filter);

  std::optional<Session> session_;
  std::optional<StoredState> stored_;
};

// The daemon's tasks among which find_task() may find `text`.
Json tasks_like(Session& session, const std::string& text);

// The grid with this number or name (the newest of that name); null if there is none.
Json find_grid(const Json& grids, const std::string& text);

// The task with this id, beginning of an id (4 characters or more), title, or part of a title. If
// tasks of several grids match, only the newest grid's count. Throws InputError if there is none,
// or several (naming some).
Json find_task(const Json& tasks, const std::string& text);

}  // namespace remixer::coordinator::command
