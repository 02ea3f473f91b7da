// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/source.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/error.h"
#include "coordinator/daemon/workspace.h"
#include "coordinator/http/message.h"
#include "coordinator/store/compact.h"
#include "coordinator/views/id_prefix.h"

namespace remixer::coordinator::command {
namespace {

constexpr size_t kShownChoices = 3;
constexpr size_t kShortId = 12;

constexpr int64_t kAll = std::numeric_limits<int64_t>::max();

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return text;
}

using Found = std::vector<const answers::TaskSummary*>;

int64_t newest_grid(const answers::TaskSummary& task) {
  int64_t newest = 0;
  for (const int64_t grid : task.grids) newest = std::max(newest, grid);
  return newest;
}

// The same step of several grids has the same title: use the newest grid's.
void keep_newest_grid(Found& found) {
  int64_t newest = 0;
  for (const auto* task : found) newest = std::max(newest, newest_grid(*task));
  std::erase_if(found, [&](const auto* task) { return newest_grid(*task) < newest; });
}

[[noreturn]] void fail_several(const Found& found, const std::string& text) {
  std::string choices;
  for (size_t i = 0; i < std::min(found.size(), kShownChoices); ++i) {
    choices += fmt::format("{}{} ({})", i > 0 ? ", " : "", found[i]->title,
                           found[i]->task_id.substr(0, kShortId));
  }
  fail_input("'{}' means {} tasks: {}{}; give more of the title or of the id", text, found.size(),
             choices, found.size() > kShownChoices ? ", ..." : "");
}

}  // namespace

Source::Source(const fs::path& workspace) : session_(Session::find(workspace)) {
  if (session_) return;
  if (!fs::is_directory(workspace)) {
    fail_input(
        "there is no workspace {}: start one with `remixer run GRID`, or name another with "
        "--workspace",
        workspace.string());
  }
  stored_.emplace(workspace, database_file(workspace));
}

bool Source::is_export() const {
  return !session_ && stored_->view().store.workspace_id() == kExportedWorkspace;
}

answers::Status Source::status() {
  if (session_) return session_->ask<answers::Status>("/status");
  answers::Status status = status_view(stored_->view());
  // Without a daemon no worker runs, so there is no end time.
  for (answers::Grid& grid : status.grids) grid.seconds_left.reset();
  for (answers::Running& attempt : status.running) {
    attempt.seconds_left.reset();
    attempt.last_heartbeat_seconds.reset();
  }
  return status;
}

std::vector<answers::Grid> Source::grids() {
  if (session_) return session_->ask<answers::GridList>("/grids").grids;
  std::vector<answers::Grid> grids = grids_view(stored_->view()).grids;
  for (answers::Grid& grid : grids) grid.seconds_left.reset();
  return grids;
}

answers::GridDetail Source::grid(int64_t id) {
  if (session_) {
    return session_->ask_whole<answers::GridDetail>(fmt::format("/grids/{}", id), "cell_list");
  }
  answers::GridDetail whole = grid_view(stored_->view(), std::to_string(id), {0, kAll});
  whole.seconds_left.reset();
  return whole;
}

std::vector<answers::TaskSummary> Source::all_tasks(const TaskFilter& filter) {
  return tasks_view(stored_->view(), filter, {0, kAll}).tasks;
}

std::vector<answers::TaskSummary> Source::tasks() {
  return session_ ? session_->ask_whole<answers::TaskList>("/tasks", "tasks").tasks : all_tasks({});
}

answers::TaskList Source::tasks_page(const std::string& grid, int64_t after) {
  if (!session_) return tasks_view(stored_->view(), {.grid = grid}, {after, Page::kMost});
  return session_->ask<answers::TaskList>(
      fmt::format("/tasks?grid={}&after={}", percent_encoded(grid), after));
}

std::vector<answers::TaskSummary> Source::tasks_of(int64_t grid) {
  const std::string id = std::to_string(grid);
  return session_ ? session_->ask_whole<answers::TaskList>("/tasks?grid=" + id, "tasks").tasks
                  : all_tasks({.grid = id});
}

answers::TaskSummary Source::task(const std::string& text) {
  return find_task(session_ ? tasks_like(*session_, text) : all_tasks({.like = text}), text);
}

answers::TaskDetail Source::whole_task(const std::string& id) {
  if (session_) return session_->ask_whole<answers::TaskDetail>("/tasks/" + id, "dependants");
  return task_view(stored_->view(), id, {0, kAll});
}

std::vector<answers::TaskSummary> tasks_like(Session& session, const std::string& text) {
  return session.ask_whole<answers::TaskList>("/tasks?like=" + percent_encoded(text), "tasks")
      .tasks;
}

std::optional<answers::Grid> find_grid(const std::vector<answers::Grid>& grids,
                                       const std::string& text) {
  for (const answers::Grid& grid : grids) {
    if (grid.name == text) return grid;
  }
  for (const answers::Grid& grid : grids) {
    if (std::to_string(grid.id) == text) return grid;
  }
  return std::nullopt;
}

answers::Grid require_grid(const std::vector<answers::Grid>& grids, const std::string& text) {
  const auto grid = find_grid(grids, text);
  if (!grid) fail_input("no grid is called '{}': `remixer status` lists them", text);
  return *grid;
}

std::optional<answers::Grid> find_grid(Session& session, const std::string& text) {
  return find_grid(session.ask<answers::GridList>("/grids").grids, text);
}

answers::TaskSummary find_task(const std::vector<answers::TaskSummary>& tasks,
                               const std::string& text) {
  Found found;
  for (const answers::TaskSummary& task : tasks) {
    if (task.task_id == text) return task;
    if (text.size() >= kShortestPrefix && task.task_id.starts_with(lower(text))) {
      found.push_back(&task);
    }
  }
  for (const bool whole : {true, false}) {
    if (!found.empty() || text.empty()) break;
    for (const answers::TaskSummary& task : tasks) {
      const std::string title = lower(task.title);
      const bool meant =
          whole ? title == lower(text) : title.find(lower(text)) != std::string::npos;
      if (meant) found.push_back(&task);
    }
    keep_newest_grid(found);
  }
  if (found.empty()) {
    fail_input("no task has an id or a title like '{}': `remixer status --tasks` lists them", text);
  }
  if (found.size() > 1) fail_several(found, text);
  return *found.front();
}

}  // namespace remixer::coordinator::command
