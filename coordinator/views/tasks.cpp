// Tasks, one or many.
#include <algorithm>

#include "coordinator/scheduler/placement.h"
#include "coordinator/views/views.h"
#include "core/base/clock.h"

namespace remixer::coordinator {
namespace {

// Failed at once: what it was given is wrong, or too large for its worker.
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

Json links_json(const std::vector<TaskEntry*>& entries) {
  Json list = Json::array();
  for (const TaskEntry* entry : entries) {
    list.push_back(
        {{"task_id", entry->id()}, {"title", entry->title}, {"state", to_string(entry->state)}});
  }
  return list;
}

Json attempts_json(const Engine::View& view, const TaskEntry& entry) {
  Json list = Json::array();
  for (const StoredAttempt& stored : view.store.attempts(entry)) {
    // The newest one's steps are in memory.
    const bool newest = entry.newest && entry.newest->number == stored.attempt.number;
    const Attempt& attempt = newest ? *entry.newest : stored.attempt;
    list.push_back(
        {{"attempt", attempt.number},
         {"fence", attempt.fence},
         {"state", to_string(attempt.state)},
         {"worker", stored.worker},
         {"started_at", iso_time(attempt.started_wall)},
         {"ended_at", attempt.ended_wall > 0 ? Json(iso_time(attempt.ended_wall)) : Json(nullptr)},
         {"reason", attempt.reason.empty() ? Json(nullptr) : Json(attempt.reason)},
         {"folder", attempt_folder(entry.id(), attempt.number)},
         {"step", attempt.step},
         {"total_steps", attempt.total_steps}});
  }
  return list;
}

// The failed or cancelled task that a blocked one waits for in vain.
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

Json tasks_json(const Engine::View& view, const std::string& grid, const std::string& state,
                const std::string& kind) {
  if (!state.empty()) task_state_from_string(state);
  if (!kind.empty()) experiments::task_kind_from_string(kind);
  std::vector<const TaskEntry*> entries;
  if (!grid.empty()) {
    const GridEntry& entry = view.state.grid(find_grid(view.state, grid));
    entries.assign(entry.tasks.begin(), entry.tasks.end());
  } else {
    for (const auto& [id, entry] : view.state.tasks) entries.push_back(&entry);
    std::sort(entries.begin(), entries.end(),
              [](const TaskEntry* a, const TaskEntry* b) { return a->order < b->order; });
  }
  Json list = Json::array();
  for (const TaskEntry* entry : entries) {
    if (!state.empty() && to_string(entry->state) != state) continue;
    if (!kind.empty() && experiments::to_string(entry->kind) != kind) continue;
    list.push_back(task_summary(view, *entry));
  }
  return {{"tasks", std::move(list)}};
}

std::string find_task(const State& state, const std::string& prefix) {
  if (state.tasks.count(prefix)) return prefix;
  std::string found;
  for (const auto& [id, entry] : state.tasks) {
    if (prefix.size() < 4 || id.compare(0, prefix.size(), prefix) != 0) continue;
    if (!found.empty()) fail_input("more than one task begins with '{}'", prefix);
    found = id;
  }
  if (found.empty()) throw NotFound(fmt::format("no task {}", prefix));
  return found;
}

Json task_json(const Engine::View& view, const std::string& prefix) {
  const TaskEntry& entry = view.state.task(find_task(view.state, prefix));
  Json json = task_summary(view, entry);
  json["spec"] = view.store.spec(entry);
  json["result"] = view.store.result(entry);
  json["figures"] = figures_json(view.store.figures(entry));
  json["dependencies"] = links_json(entry.dependencies);
  json["dependants"] = links_json(entry.dependants);
  json["explanation"] = explanation(view, entry);
  json["failures"] = entry.failures;
  json["crashes"] = entry.crashes;
  json["attempts"] = attempts_json(view, entry);
  return json;
}

}  // namespace remixer::coordinator
