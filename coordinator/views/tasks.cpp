// SPDX-License-Identifier: Apache-2.0
// Views of one or many tasks.
#include <algorithm>
#include <cctype>
#include <optional>

#include "base/clock.h"
#include "coordinator/scheduler/placement.h"
#include "coordinator/views/id_prefix.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {
namespace {

// Failed without retries: its input is wrong, or it is too large for its worker.
bool is_hopeless(const Engine::View& view, const TaskEntry& entry) {
  return entry.state == TaskState::kFailed && entry.failures < view.settings.failure_limit &&
         entry.alone < view.settings.crash_limit;
}

Json task_summary(const Engine::View& view, const TaskEntry& entry) {
  return {{"task_id", entry.id()},
          {"kind", experiments::to_string(entry.kind)},
          {"cell_id", cell_id_json(entry)},
          {"title", entry.title},
          {"state", to_string(entry.state)},
          {"reason", reason_json(entry)},
          {"hopeless", is_hopeless(view, entry)},
          {"attempts", entry.attempts},
          {"grids", grid_ids_json(entry)},
          {"folder",
           entry.attempts == 0 ? Json(nullptr) : Json(attempt_folder(entry.id(), entry.attempts))}};
}

Json link_json(const TaskEntry& entry) {
  return {{"task_id", entry.id()}, {"title", entry.title}, {"state", to_string(entry.state)}};
}

Json attempts_json(const Engine::View& view, const TaskEntry& entry) {
  Json list = Json::array();
  for (const StoredAttempt& stored : view.store.attempts(entry)) {
    // The newest attempt's steps are in memory.
    const bool newest = entry.newest && entry.newest->number == stored.attempt.number;
    const Attempt& attempt = newest ? *entry.newest : stored.attempt;
    // The last heartbeat of a finished attempt came before its end.
    const bool done = attempt.state == AttemptState::kDone;
    list.push_back(
        {{"attempt", attempt.number},
         {"fence", attempt.fence},
         {"state", to_string(attempt.state)},
         {"worker", stored.worker},
         {"started_at", iso_time(attempt.started_wall)},
         {"ended_at", attempt.ended_wall > 0 ? Json(iso_time(attempt.ended_wall)) : Json(nullptr)},
         {"reason", attempt.reason.empty() ? Json(nullptr) : Json(attempt.reason)},
         {"folder", attempt_folder(entry.id(), attempt.number)},
         {"step", done ? std::max(attempt.step, attempt.total_steps) : attempt.step},
         {"total_steps", attempt.total_steps}});
  }
  return list;
}

// The failed or cancelled task that blocks this one.
const TaskEntry* blocker(const TaskEntry& entry) {
  for (const TaskEntry* other : entry.dependencies) {
    if (other->state == TaskState::kFailed || other->state == TaskState::kCancelled) return other;
    if (other->state == TaskState::kBlocked) return blocker(*other);
  }
  return nullptr;
}

std::string blocked_text(const TaskEntry& entry) {
  const TaskEntry* other = blocker(entry);
  if (!other) return "blocked";
  return fmt::format("blocked: '{}' is {} ({})", other->title, to_string(other->state),
                     other->reason);
}

std::string waiting_text(const TaskEntry& entry) {
  std::vector<std::string> titles;
  for (const TaskEntry* other : entry.dependencies) {
    if (other->state == TaskState::kDone) continue;
    titles.push_back(fmt::format("'{}' ({})", other->title, to_string(other->state)));
  }
  return fmt::format("waits for {}", fmt::join(titles, ", "));
}

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

// Checks a task against a filter, except for the grid.
class TaskMatch {
 public:
  explicit TaskMatch(const TaskFilter& filter) : like_(filter.like) {
    std::transform(like_.begin(), like_.end(), like_.begin(), lower);
    if (!filter.state.empty()) state_ = task_state_from_string(filter.state);
    if (!filter.kind.empty()) kind_ = experiments::task_kind_from_string(filter.kind);
  }
  bool operator()(const TaskEntry& entry) const {
    if (state_ && entry.state != *state_) return false;
    if (kind_ && entry.kind != *kind_) return false;
    if (like_.empty()) return true;
    return (like_.size() >= kShortestPrefix && entry.id().starts_with(like_)) ||
           std::search(entry.title.begin(), entry.title.end(), like_.begin(), like_.end(),
                       [](char c, char wanted) { return lower(c) == wanted; }) != entry.title.end();
  }

 private:
  std::optional<TaskState> state_;
  std::optional<TaskKind> kind_;
  std::string like_;
};

// `after` is the number of the grid's tasks that were examined.
Json grid_tasks(const Engine::View& view, const GridEntry& grid, const TaskMatch& match,
                const Page& page) {
  Json list = Json::array();
  auto at = static_cast<size_t>(page.after);
  for (; at < grid.tasks.size(); ++at) {
    if (!match(*grid.tasks[at])) continue;
    if (list.size() == static_cast<size_t>(page.limit)) break;
    list.push_back(task_summary(view, *grid.tasks[at]));
  }
  return {{"tasks", std::move(list)}, {"next", at < grid.tasks.size() ? Json(at) : Json(nullptr)}};
}

// `after` is the number of the last task shown.
Json all_tasks(const Engine::View& view, const TaskMatch& match, const Page& page) {
  std::vector<const TaskEntry*> entries;
  for (const auto& [id, entry] : view.state.tasks) {
    if (entry.number > page.after && match(entry)) entries.push_back(&entry);
  }
  const size_t shown = std::min(entries.size(), static_cast<size_t>(page.limit));
  std::partial_sort(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(shown), entries.end(),
                    [](const TaskEntry* a, const TaskEntry* b) { return a->number < b->number; });
  Json list = Json::array();
  for (size_t i = 0; i < shown; ++i) list.push_back(task_summary(view, *entries[i]));
  const bool more = shown < entries.size();
  return {{"tasks", std::move(list)},
          {"next", more ? Json(entries[shown - 1]->number) : Json(nullptr)}};
}

}  // namespace

Json reason_json(const TaskEntry& entry) {
  if (entry.state == TaskState::kBlocked) return blocked_text(entry);
  return entry.reason.empty() ? Json(nullptr) : Json(entry.reason);
}

std::string explanation(const Engine::View& view, const TaskEntry& entry) {
  switch (entry.state) {
    case TaskState::kWaiting:
      return waiting_text(entry);
    case TaskState::kReady:
      return why_ready_waits(view.state, entry, view.now, view.settings);
    case TaskState::kRunning:
      return fmt::format("attempt {} runs: step {} of {}", entry.newest->number, entry.newest->step,
                         entry.newest->total_steps);
    case TaskState::kDone:
      return fmt::format("done at {}", iso_time(entry.done_wall));
    case TaskState::kFailed:
    case TaskState::kCancelled:
      return entry.reason;
    case TaskState::kBlocked:
      return blocked_text(entry);
  }
  return {};
}

Json tasks_json(const Engine::View& view, const TaskFilter& filter, const Page& page) {
  const TaskMatch match(filter);
  return filter.grid.empty()
             ? all_tasks(view, match, page)
             : grid_tasks(view, view.state.grid(find_grid(view.state, filter.grid)), match, page);
}

std::string find_task(const State& state, const std::string& prefix) {
  if (state.tasks.count(prefix)) return prefix;
  std::string found;
  for (const auto& [id, entry] : state.tasks) {
    if (prefix.size() < kShortestPrefix || id.compare(0, prefix.size(), prefix) != 0) continue;
    if (!found.empty()) fail_input("more than one task begins with '{}'", prefix);
    found = id;
  }
  if (found.empty()) throw NotFound(fmt::format("no task {}", prefix));
  return found;
}

Json task_json(const Engine::View& view, const std::string& prefix, const Page& page) {
  const TaskEntry& entry = view.state.task(find_task(view.state, prefix));
  Json json = task_summary(view, entry);
  json["spec"] = view.store.spec(entry);
  json["result"] = view.store.result(entry);
  json["figures"] = figures_json(view.store.figures(entry));
  json["dependencies"] = Json::array();
  for (const TaskEntry* each : entry.dependencies) json["dependencies"].push_back(link_json(*each));
  // All cells may depend on the task that prepares a data set.
  const auto count = static_cast<int64_t>(entry.dependants.size());
  const int64_t first = std::min(page.after, count);
  const int64_t end = first + std::min(page.limit, count - first);
  json["dependants"] = Json::array();
  for (int64_t i = first; i < end; ++i) {
    json["dependants"].push_back(link_json(*entry.dependants[static_cast<size_t>(i)]));
  }
  json["next"] = end < count ? Json(end) : Json(nullptr);
  json["explanation"] = explanation(view, entry);
  json["failures"] = entry.failures;
  json["crashes"] = entry.crashes;
  json["attempts"] = attempts_json(view, entry);
  return json;
}

}  // namespace remixer::coordinator
