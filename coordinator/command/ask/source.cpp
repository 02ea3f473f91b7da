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

// Without a daemon no worker runs, so there is no end time.
void forget_time_left(Json& grid) {
  grid["seconds_left"] = nullptr;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
  return text;
}

int64_t newest_grid(const Json& task) {
  int64_t newest = 0;
  for (const Json& grid : task.value("grids", Json::array())) {
    newest = std::max(newest, grid.get<int64_t>());
  }
  return newest;
}

// The same step of several grids has the same title: use the newest grid's.
void keep_newest_grid(std::vector<const Json*>& found) {
  int64_t newest = 0;
  for (const Json* task : found) newest = std::max(newest, newest_grid(*task));
  std::erase_if(found, [&](const Json* task) { return newest_grid(*task) < newest; });
}

[[noreturn]] void fail_several(const std::vector<const Json*>& found, const std::string& text) {
  std::string choices;
  for (size_t i = 0; i < std::min(found.size(), kShownChoices); ++i) {
    choices += fmt::format("{}{} ({})", i > 0 ? ", " : "", (*found[i])["title"].get<std::string>(),
                           (*found[i])["task_id"].get<std::string>().substr(0, kShortId));
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

Json Source::status() {
  if (session_) return session_->get("/status");
  Json status = status_json(stored_->view());
  for (Json& grid : status["grids"]) forget_time_left(grid);
  for (Json& attempt : status["running"]) {
    for (const char* name : {"seconds_left", "last_heartbeat_seconds"}) attempt[name] = nullptr;
  }
  return status;
}

Json Source::grids() {
  if (session_) return session_->get("/grids").at("grids");
  Json grids = grids_json(stored_->view()).at("grids");
  for (Json& grid : grids) forget_time_left(grid);
  return grids;
}

Json Source::grid(int64_t id) {
  if (session_) return session_->get_whole(fmt::format("/grids/{}", id), "cell_list");
  Json whole = grid_json(stored_->view(), std::to_string(id), {0, kAll});
  forget_time_left(whole);
  whole.erase("next");
  return whole;
}

Json Source::all_tasks(const TaskFilter& filter) {
  return tasks_json(stored_->view(), filter, {0, kAll}).at("tasks");
}

Json Source::tasks() {
  return session_ ? session_->get_whole("/tasks", "tasks").at("tasks") : all_tasks({});
}

Json Source::tasks_page(const std::string& grid, int64_t after) {
  if (!session_) return tasks_json(stored_->view(), {.grid = grid}, {after, Page::kMost});
  return session_->get(fmt::format("/tasks?grid={}&after={}", percent_encoded(grid), after));
}

Json Source::tasks_of(int64_t grid) {
  const std::string id = std::to_string(grid);
  return session_ ? session_->get_whole("/tasks?grid=" + id, "tasks")["tasks"]
                  : all_tasks({.grid = id});
}

Json Source::task(const std::string& text) {
  return find_task(session_ ? tasks_like(*session_, text) : all_tasks({.like = text}), text);
}

Json Source::whole_task(const std::string& id) {
  if (session_) return session_->get_whole("/tasks/" + id, "dependants");
  Json whole = task_json(stored_->view(), id, {0, kAll});
  whole.erase("next");
  return whole;
}

Json tasks_like(Session& session, const std::string& text) {
  return session.get_whole("/tasks?like=" + percent_encoded(text), "tasks")["tasks"];
}

Json find_grid(const Json& grids, const std::string& text) {
  for (const Json& grid : grids) {
    if (grid.at("name") == text) return grid;
  }
  for (const Json& grid : grids) {
    if (std::to_string(grid.at("id").get<int64_t>()) == text) return grid;
  }
  return nullptr;
}

Json find_task(const Json& tasks, const std::string& text) {
  std::vector<const Json*> found;
  for (const Json& task : tasks) {
    const auto& id = task.at("task_id").get_ref<const std::string&>();
    if (id == text) return task;
    if (text.size() >= kShortestPrefix && id.starts_with(lower(text))) found.push_back(&task);
  }
  for (const bool whole : {true, false}) {
    if (!found.empty() || text.empty()) break;
    for (const Json& task : tasks) {
      const std::string title = lower(task.at("title").get<std::string>());
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
