// SPDX-License-Identifier: Apache-2.0
// Everything that a progress display needs, in one answer.
#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "coordinator/scheduler/placement.h"
#include "coordinator/views/estimate.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {
namespace {

constexpr size_t kRecent = 20;
constexpr int kEndedGrids = 5;

answers::Running running_view(const Engine::View& view, const TaskEntry& entry,
                              const Estimate& estimate) {
  const Attempt& attempt = *entry.newest;
  const auto worker = view.state.workers.find(attempt.worker_id);
  answers::Running running{
      .task_id = entry.id(),
      .kind = std::string(experiments::to_string(entry.kind)),
      .cell_id = cell_id_of(entry),
      .title = entry.title,
      .attempt = attempt.number,
      .fence = attempt.fence,
      .worker = worker == view.state.workers.end() ? "" : worker->second.about.name,
      .worker_id = attempt.worker_id,
      .folder = attempt_folder(entry.id(), attempt.number),
      .step = attempt.step,
      .total_steps = attempt.total_steps,
      .activity = attempt.activity,
      .started_at = iso_time(attempt.started_wall),
      .seconds = std::max(0.0, view.now.monotonic - attempt.started),
      .seconds_left = estimate.left(entry),
      .last_heartbeat_seconds = std::max(0.0, view.now.monotonic - attempt.heard_at),
      .metrics = {},
      .grids = grid_ids(entry)};
  for (const auto& [name, value] : attempt.metrics) {
    running.metrics[name] = std::isfinite(value) ? std::optional(value) : std::nullopt;
  }
  return running;
}

// At most this many, newest first.
using Settled = std::set<std::pair<double, TaskEntry*>>;
std::vector<const TaskEntry*> newest_first(const Settled& settled) {
  std::vector<const TaskEntry*> list;
  for (auto each = settled.rbegin(); each != settled.rend() && list.size() < kRecent; ++each) {
    list.push_back(each->second);
  }
  return list;
}

std::vector<answers::FailedTask> failures(const Engine::View& view) {
  std::vector<answers::FailedTask> list;
  for (const TaskEntry* entry : newest_first(view.state.failed)) {
    list.push_back({.task_id = entry->id(),
                    .kind = std::string(experiments::to_string(entry->kind)),
                    .cell_id = cell_id_of(*entry),
                    .title = entry->title,
                    .attempt = entry->attempts,
                    .reason = entry->reason,
                    .ended_at = iso_time(entry->done_wall),
                    .log = attempt_folder(entry->id(), entry->attempts) + "/log.txt",
                    .grids = grid_ids(*entry)});
  }
  return list;
}

std::vector<answers::FinishedTask> finished(const Engine::View& view) {
  std::vector<answers::FinishedTask> list;
  for (const TaskEntry* entry : newest_first(view.state.done_lately)) {
    list.push_back({.task_id = entry->id(),
                    .kind = std::string(experiments::to_string(entry->kind)),
                    .cell_id = cell_id_of(*entry),
                    .title = entry->title,
                    .ended_at = iso_time(entry->done_wall),
                    .seconds = entry->seconds,
                    .figures = view.store.figures(*entry),
                    .grids = grid_ids(*entry)});
  }
  return list;
}

// After a restart: longest remaining wait for an attempt of the previous daemon process.
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

std::vector<answers::Grid> recent_grids(const Engine::View& view, const Estimate& estimate) {
  std::vector<answers::Grid> grids;
  int ended = 0;
  for (auto each = view.state.grids.rbegin(); each != view.state.grids.rend(); ++each) {
    const GridEntry& entry = each->second;
    const bool working = !entry.cancelled && entry.count(TaskState::kWaiting) +
                                                     entry.count(TaskState::kReady) +
                                                     entry.count(TaskState::kRunning) >
                                                 0;
    if (!working && ++ended > kEndedGrids) continue;
    grids.push_back(grid_summary(view, entry, estimate));
  }
  return grids;
}

// Problem that blocks the whole site; nothing if there is none.
std::optional<std::string> site_problem(const Engine::View& view) {
  const NoSpace& trouble = view.state.no_space;
  if (trouble.times == 0) return std::nullopt;
  return fmt::format(
      "no room in the workspace ({}); make room, and work continues by itself: nothing is lost, "
      "and no task is counted as failed",
      trouble.reason);
}

}  // namespace

answers::WorkerList workers_view(const Engine::View& view) {
  std::map<std::string, std::string> busy;
  for (const std::string& id : view.state.held) {
    const Attempt& attempt = *view.state.task(id).newest;
    if (attempt.state == AttemptState::kRunning) busy[attempt.worker_id] = id;
  }
  answers::WorkerList list;
  for (const auto& [id, worker] : view.state.workers) {
    const double ago = view.now.monotonic - worker.seen;
    const auto task = busy.find(id);
    const bool silent = ago > view.settings.lease_seconds;
    // Skip workers that have been silent for long and have no task.
    if (worker.gone || (task == busy.end() && ago > 10 * view.settings.lease_seconds)) continue;
    list.workers.push_back(
        {.worker_id = id,
         .name = worker.about.name,
         .host = worker.about.host,
         .pid = worker.about.pid,
         .ranks = worker.about.ranks,
         .device = worker.about.device,
         .version = worker.about.version,
         .state = set_aside(worker, view.settings) ? "set aside"
                  : silent                         ? "silent"
                  : task == busy.end()             ? "idle"
                                                   : "running",
         .task_id = task == busy.end() ? std::nullopt : std::optional(task->second),
         .last_seen_seconds = std::max(0.0, ago)});
  }
  return list;
}

answers::Status status_view(const Engine::View& view) {
  const Estimate estimate(view.state, view.now);
  std::vector<std::pair<double, std::string>> order;
  for (const std::string& id : view.state.held) {
    const TaskEntry& entry = view.state.task(id);
    if (entry.state == TaskState::kRunning) order.emplace_back(entry.newest->started, id);
  }
  std::sort(order.begin(), order.end());
  answers::Status status;
  status.now = iso_time(view.now.wall);
  status.stopping = view.state.stopping;
  status.revision = static_cast<int64_t>(view.state.revision);
  status.grace_seconds = grace_seconds(view);
  status.grids = recent_grids(view, estimate);
  for (const auto& [started, id] : order) {
    status.running.push_back(running_view(view, view.state.task(id), estimate));
  }
  status.failures = failures(view);
  status.finished = finished(view);
  status.workers = workers_view(view).workers;
  status.site.problem = site_problem(view);
  return status;
}

}  // namespace remixer::coordinator
