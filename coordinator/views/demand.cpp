// SPDX-License-Identifier: Apache-2.0
#include "coordinator/views/demand.h"

#include <algorithm>
#include <limits>
#include <set>

#include "coordinator/views/estimate.h"

namespace remixer::coordinator {
namespace {

// "slurm:120_3" → "120_3"; empty for a worker that is in no allocation.
std::string job_of(const Worker& worker) {
  constexpr const char* kPrefix = "slurm:";
  const auto& environment = worker.about.environment;
  if (!environment.is_object()) return "";
  const auto found = environment.find("allocation");
  if (found == environment.end() || !found->is_string()) return "";
  const std::string text = found->get<std::string>();
  return text.starts_with(kPrefix) ? text.substr(std::char_traits<char>::length(kPrefix)) : "";
}

void count_workers(const Engine::View& view, slurm::Demand& demand) {
  std::map<std::string, int64_t> running;
  for (const std::string& id : view.state.held) {
    const TaskEntry& entry = view.state.task(id);
    if (entry.state == TaskState::kRunning) ++running[entry.newest->worker_id];
  }
  for (const auto& [id, worker] : view.state.workers) {
    const std::string job = job_of(worker);
    const bool heard =
        !worker.gone && view.now.monotonic - worker.seen < 2 * view.settings.lease_seconds;
    if (job.empty()) {
      demand.local_workers += heard ? 1 : 0;
      continue;
    }
    auto& allocation = demand.allocations[job];
    if (worker.gone) continue;
    allocation.workers.push_back(id);
    allocation.alive += heard ? 1 : 0;
    allocation.running += running.count(id) ? running.at(id) : 0;
  }
}

}  // namespace

slurm::Demand demand_of(const Engine::View& view, double worth_seconds) {
  slurm::Demand demand;
  count_workers(view, demand);
  for (const auto& [id, entry] : view.state.tasks) {
    if (entry.state == TaskState::kRunning) ++demand.running;
    if (open(entry.state)) ++demand.unfinished;
  }
  const Estimate estimate(view.state, view.now);
  std::set<const TaskEntry*> counted;
  for (const auto& [number, grid] : view.state.grids) {
    if (grid.cancelled || grid.paused != Pause::kNone) continue;
    int64_t may_start = std::numeric_limits<int64_t>::max();
    if (grid.settings.max_running > 0) {
      may_start = grid.settings.max_running - grid.count(TaskState::kRunning);
    }
    for (const auto& [order, task] : grid.ready) {
      if (may_start-- <= 0) break;
      if (!counted.insert(task).second) continue;
      const auto seconds = estimate.left(*task);
      demand.ready += seconds && worth_seconds > 0 ? std::min(1.0, *seconds / worth_seconds) : 1.0;
    }
  }
  return demand;
}

}  // namespace remixer::coordinator
