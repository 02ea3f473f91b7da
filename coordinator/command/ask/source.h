// SPDX-License-Identifier: Apache-2.0
// Reads a workspace's state from its daemon, or from the database if no daemon answers.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/command/ask/session.h"
#include "coordinator/command/ask/stored_state.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator::command {

// Answers as in docs/api.md, from the same views with or without a daemon. What only a daemon knows
// (a task's progress, when it will be done, which workers run) is missing without one. One thread
// at a time.
class Source {
 public:
  // Throws InputError if the workspace has neither.
  explicit Source(const fs::path& workspace);

  bool has_daemon() const { return session_.has_value(); }
  Session& session() { return session_.value(); }
  // Whether it was made by `remixer export`: to be read, not to run anything in.
  bool is_export() const;

  answers::Status status();
  std::vector<answers::Grid> grids();    // newest first
  answers::GridDetail grid(int64_t id);  // with all its cells
  std::vector<answers::TaskSummary> tasks();
  // As GET /tasks, one page; of all grids if `grid` is empty.
  answers::TaskList tasks_page(const std::string& grid, int64_t after);
  std::vector<answers::TaskSummary> tasks_of(int64_t grid);
  // The task that find_task() finds.
  answers::TaskSummary task(const std::string& text);
  // As GET /tasks/{id}, with all dependants.
  answers::TaskDetail whole_task(const std::string& id);

 private:
  std::vector<answers::TaskSummary> all_tasks(const TaskFilter& filter);

  std::optional<Session> session_;
  std::optional<StoredState> stored_;
};

// The daemon's tasks among which find_task() may find `text`.
std::vector<answers::TaskSummary> tasks_like(Session& session, const std::string& text);

// The grid with this number or name (the newest of that name), if there is one.
std::optional<answers::Grid> find_grid(const std::vector<answers::Grid>& grids,
                                       const std::string& text);
// Asks the daemon for it.
std::optional<answers::Grid> find_grid(Session& session, const std::string& text);
// Throws InputError if there is none.
answers::Grid require_grid(const std::vector<answers::Grid>& grids, const std::string& text);

// The task with this id, beginning of an id (4 characters or more), title, or part of a title. If
// tasks of several grids match, only the newest grid's count. Throws InputError if there is none,
// or several (naming some).
answers::TaskSummary find_task(const std::vector<answers::TaskSummary>& tasks,
                               const std::string& text);

}  // namespace remixer::coordinator::command
