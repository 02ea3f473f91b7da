// Tasks, one or many.
#include <algorithm>

#include "coordinator/views/views.h"
#include "core/base/clock.h"

namespace remixer::coordinator {
namespace {

Json task_summary(const State& state, const std::string& id, const TaskEntry& entry,
                  const GridsOfTasks& grids) {
  const auto in = grids.find(id);
  return {
      {"task_id", id},
      {"kind", experiments::to_string(entry.task.kind)},
      {"cell_id", entry.task.cell_id},
      {"title", entry.task.title},
      {"state", to_string(entry.state)},
      {"reason", reason_json(state, entry)},
      {"attempts", entry.attempts},
      {"grids", in == grids.end() ? Json::array() : Json(in->second)},
      {"folder", entry.attempts == 0 ? Json(nullptr) : Json(attempt_folder(id, entry.attempts))}};
}

Json links_json(const State& state, const std::vector<std::string>& ids) {
  Json list = Json::array();
  for (const std::string& id : ids) {
    const TaskEntry& entry = state.task(id);
    list.push_back(
        {{"task_id", id}, {"title", entry.task.title}, {"state", to_string(entry.state)}});
  }
  return list;
}

Json attempts_json(const Engine::View& view, const std::string& id, const TaskEntry& entry) {
  Json list = Json::array();
  for (const StoredAttempt& stored : view.store.attempts(id)) {
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
         {"folder", attempt_folder(id, attempt.number)},
         {"step", attempt.step},
         {"total_steps", attempt.total_steps}});
  }
  return list;
}

// The failed or cancelled task that a blocked one waits for in vain.
const TaskEntry* blocker(const State& state, const TaskEntry& entry) {
  for (const std::string& id : entry.task.dependencies) {
    const TaskEntry& other = state.task(id);
    if (other.state == TaskState::kFailed || other.state == TaskState::kCancelled) return &other;
    if (other.state == TaskState::kBlocked) return blocker(state, other);
  }
  return nullptr;
}

std::string blocked_text(const State& state, const TaskEntry& entry) {
  const TaskEntry* other = blocker(state, entry);
  if (!other) return "blocked";
  return fmt::format("blocked: '{}' is {} ({})", other->task.title, to_string(other->state),
                     other->reason);
}

std::string waiting_text(const State& state, const TaskEntry& entry) {
  std::vector<std::string> titles;
  for (const std::string& id : entry.task.dependencies) {
    const TaskEntry& other = state.task(id);
    if (other.state == TaskState::kDone) continue;
    titles.push_back(fmt::format("'{}' ({})", other.task.title, to_string(other.state)));
  }
  return fmt::format("waits for {}", fmt::join(titles, ", "));
}

std::string ready_text(const Engine::View& view, const TaskEntry& entry) {
  const double pause = entry.not_before - view.now.monotonic;
  if (pause > 0) {
    return fmt::format("failed {} times ({}); tried again in {}", entry.failures,
                       entry.newest ? entry.newest->reason : "", duration_text(pause));
  }
  const double held = entry.newest ? entry.newest->held_until - view.now.monotonic : 0;
  if (held > 0) {
    return fmt::format("waits {} for the lease of attempt {} to end", duration_text(held),
                       entry.newest->number);
  }
  const auto& workers = view.state.workers;
  const auto there = std::count_if(workers.begin(), workers.end(), [&](const auto& each) {
    return !each.second.gone && view.now.monotonic - each.second.seen < view.settings.lease_seconds;
  });
  if (there == 0) return "ready, but there is no worker";
  const auto ahead = std::distance(view.state.ready.begin(),
                                   view.state.ready.lower_bound({entry.order, std::string()}));
  return fmt::format("ready; {} tasks stand before it and {} workers are there", ahead, there);
}

}  // namespace

Json reason_json(const State& state, const TaskEntry& entry) {
  if (entry.state == TaskState::kBlocked) return blocked_text(state, entry);
  return entry.reason.empty() ? Json(nullptr) : Json(entry.reason);
}

std::string explanation(const Engine::View& view, const TaskEntry& entry) {
  switch (entry.state) {
    case TaskState::kWaiting:
      return waiting_text(view.state, entry);
    case TaskState::kReady:
      return ready_text(view, entry);
    case TaskState::kRunning:
      return fmt::format("attempt {} runs: step {} of {}", entry.newest->number, entry.newest->step,
                         entry.newest->total_steps);
    case TaskState::kDone:
      return fmt::format("done at {}", iso_time(entry.done_wall));
    case TaskState::kFailed:
    case TaskState::kCancelled:
      return entry.reason;
    case TaskState::kBlocked:
      return blocked_text(view.state, entry);
  }
  return {};
}

Json tasks_json(const Engine::View& view, const std::string& grid, const std::string& state,
                const std::string& kind) {
  if (!state.empty()) task_state_from_string(state);
  if (!kind.empty()) experiments::task_kind_from_string(kind);
  std::vector<std::string> ids;
  if (!grid.empty()) {
    ids = view.state.grid(find_grid(view.state, grid)).tasks;
  } else {
    for (const auto& [id, entry] : view.state.tasks) ids.push_back(id);
    std::sort(ids.begin(), ids.end(), [&](const std::string& a, const std::string& b) {
      return view.state.task(a).order < view.state.task(b).order;
    });
  }
  const GridsOfTasks grids = grids_of_tasks(view.state);
  Json list = Json::array();
  for (const std::string& id : ids) {
    const TaskEntry& entry = view.state.task(id);
    if (!state.empty() && to_string(entry.state) != state) continue;
    if (!kind.empty() && experiments::to_string(entry.task.kind) != kind) continue;
    list.push_back(task_summary(view.state, id, entry, grids));
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
  const std::string id = find_task(view.state, prefix);
  const TaskEntry& entry = view.state.task(id);
  Json json = task_summary(view.state, id, entry, grids_of_tasks(view.state));
  json["spec"] = entry.task.spec;
  json["result"] = entry.result;
  json["figures"] = figures_json(view.store.figures(id));
  json["dependencies"] = links_json(view.state, entry.task.dependencies);
  json["dependants"] = links_json(view.state, entry.dependants);
  json["explanation"] = explanation(view, entry);
  json["failures"] = entry.failures;
  json["attempts"] = attempts_json(view, id, entry);
  return json;
}

}  // namespace remixer::coordinator
