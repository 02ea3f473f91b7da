// What a progress display needs, in one answer.
#include <algorithm>

#include "coordinator/views/estimate.h"
#include "coordinator/views/views.h"
#include "core/base/clock.h"

namespace remixer::coordinator {
namespace {

constexpr size_t kRecent = 20;
constexpr int kEndedGrids = 5;

Json seconds_json(const std::optional<double>& seconds) {
  return seconds ? Json(*seconds) : Json(nullptr);
}

Json ids_json(const GridsOfTasks& grids, const std::string& id) {
  const auto found = grids.find(id);
  return found == grids.end() ? Json::array() : Json(found->second);
}

Json running_json(const Engine::View& view, const std::string& id, const TaskEntry& entry,
                  const Estimate& estimate, const GridsOfTasks& grids) {
  const Attempt& attempt = *entry.newest;
  const auto worker = view.state.workers.find(attempt.worker_id);
  return {{"task_id", id},
          {"kind", experiments::to_string(entry.task.kind)},
          {"cell_id", entry.task.cell_id},
          {"title", entry.task.title},
          {"attempt", attempt.number},
          {"fence", attempt.fence},
          {"worker", worker == view.state.workers.end() ? "" : worker->second.about.name},
          {"worker_id", attempt.worker_id},
          {"folder", attempt_folder(id, attempt.number)},
          {"step", attempt.step},
          {"total_steps", attempt.total_steps},
          {"activity", attempt.activity},
          {"started_at", iso_time(attempt.started_wall)},
          {"seconds", std::max(0.0, view.now.monotonic - attempt.started)},
          {"seconds_left", seconds_json(estimate.left(entry))},
          {"last_heartbeat_seconds", std::max(0.0, view.now.monotonic - attempt.heard_at)},
          {"metrics", attempt.metrics},
          {"grids", ids_json(grids, id)}};
}

using Settled = std::vector<std::pair<double, std::string>>;

// The newest first, at most so many.
Settled newest_first(const State& state, TaskState wanted) {
  Settled list;
  for (const auto& [id, entry] : state.tasks) {
    if (entry.state == wanted) list.emplace_back(entry.done_wall, id);
  }
  const size_t count = std::min(kRecent, list.size());
  std::partial_sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count), list.end(),
                    std::greater<>());
  list.resize(count);
  return list;
}

Json failures_json(const Engine::View& view, const GridsOfTasks& grids) {
  Json list = Json::array();
  for (const auto& [ended, id] : newest_first(view.state, TaskState::kFailed)) {
    const TaskEntry& entry = view.state.task(id);
    list.push_back({{"task_id", id},
                    {"kind", experiments::to_string(entry.task.kind)},
                    {"cell_id", entry.task.cell_id},
                    {"title", entry.task.title},
                    {"attempt", entry.attempts},
                    {"reason", entry.reason},
                    {"ended_at", iso_time(ended)},
                    {"log", attempt_folder(id, entry.attempts) + "/log.txt"},
                    {"grids", ids_json(grids, id)}});
  }
  return list;
}

Json finished_json(const Engine::View& view) {
  Json list = Json::array();
  for (const auto& [ended, id] : newest_first(view.state, TaskState::kDone)) {
    const TaskEntry& entry = view.state.task(id);
    list.push_back({{"task_id", id},
                    {"kind", experiments::to_string(entry.task.kind)},
                    {"cell_id", entry.task.cell_id},
                    {"title", entry.task.title},
                    {"ended_at", iso_time(ended)},
                    {"seconds", entry.seconds},
                    {"figures", figures_json(view.store.figures(id))}});
  }
  return list;
}

// After a restart: the longest wait for an attempt of the life before.
double grace_seconds(const Engine::View& view) {
  double grace = 0;
  for (const std::string& id : view.state.held) {
    const Attempt& attempt = *view.state.task(id).newest;
    if (attempt.inherited && attempt.heard_at <= attempt.held_until - view.settings.lease_seconds) {
      grace = std::max(grace, attempt.held_until - view.now.monotonic);
    }
  }
  return grace;
}

Json recent_grids(const Engine::View& view, const Estimate& estimate) {
  Json grids = Json::array();
  int ended = 0;
  for (auto each = view.state.grids.rbegin(); each != view.state.grids.rend(); ++each) {
    Json grid = grid_summary(view, each->second, estimate);
    if (grid["state"] != "running" && ++ended > kEndedGrids) continue;
    grids.push_back(std::move(grid));
  }
  return grids;
}

}  // namespace

Json workers_json(const Engine::View& view) {
  std::map<std::string, std::string> busy;
  for (const std::string& id : view.state.held) {
    const Attempt& attempt = *view.state.task(id).newest;
    if (attempt.state == AttemptState::kRunning) busy[attempt.worker_id] = id;
  }
  Json list = Json::array();
  for (const auto& [id, worker] : view.state.workers) {
    const double ago = view.now.monotonic - worker.seen;
    const auto task = busy.find(id);
    const bool silent = ago > view.settings.lease_seconds;
    // One that has been silent for long and holds nothing is of no interest any more.
    if (worker.gone || (task == busy.end() && ago > 10 * view.settings.lease_seconds)) continue;
    list.push_back({{"worker_id", id},
                    {"name", worker.about.name},
                    {"host", worker.about.host},
                    {"pid", worker.about.pid},
                    {"ranks", worker.about.ranks},
                    {"device", worker.about.device},
                    {"version", worker.about.version},
                    {"state", silent               ? "silent"
                              : task == busy.end() ? "idle"
                                                   : "running"},
                    {"task_id", task == busy.end() ? Json(nullptr) : Json(task->second)},
                    {"last_seen_seconds", std::max(0.0, ago)}});
  }
  return list;
}

Json status_json(const Engine::View& view) {
  const Estimate estimate(view.state, view.now);
  const GridsOfTasks grids = grids_of_tasks(view.state);
  std::vector<std::pair<double, std::string>> order;
  for (const std::string& id : view.state.held) {
    const TaskEntry& entry = view.state.task(id);
    if (entry.state == TaskState::kRunning) order.emplace_back(entry.newest->started, id);
  }
  std::sort(order.begin(), order.end());
  Json running = Json::array();
  for (const auto& [started, id] : order) {
    running.push_back(running_json(view, id, view.state.task(id), estimate, grids));
  }
  return {{"now", iso_time(view.now.wall)},         {"stopping", view.state.stopping},
          {"revision", view.state.revision},        {"grace_seconds", grace_seconds(view)},
          {"grids", recent_grids(view, estimate)},  {"running", std::move(running)},
          {"failures", failures_json(view, grids)}, {"finished", finished_json(view)},
          {"workers", workers_json(view)}};
}

}  // namespace remixer::coordinator
