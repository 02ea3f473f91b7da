// SPDX-License-Identifier: Apache-2.0
#include "coordinator/views/demand.h"

#include <algorithm>
#include <limits>
#include <set>
#include <unordered_map>

#include "coordinator/scheduler/placement.h"
#include "coordinator/views/estimate.h"

namespace remixer::coordinator {
namespace {

// "slurm:120_3" → "120_3"; empty for a worker outside of allocations.
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

// A worker as in an allocation of the site. Properties that the site does not give come from the
// newest worker of any allocation; before there was one, the best case is assumed.
Worker worker_of(const Engine::View& view, const slurm::Site& site) {
  const Worker* shown = nullptr;
  for (const auto& [id, worker] : view.state.workers) {
    if (!job_of(worker).empty() && (!shown || worker.seen >= shown->seen)) shown = &worker;
  }
  Worker worker;
  worker.about.name = "an allocation";
  worker.about.ranks = site.ranks_per_worker();
  const auto gpus = site.gpus_per_node();
  worker.about.device = site.device();
  if (worker.about.device == "auto") worker.about.device = shown ? shown->about.device : "cuda";
  if (gpus && *gpus > 0) {
    worker.about.gpus = *gpus * site.allocation.nodes / site.worker.workers;
  } else {
    worker.about.gpus = shown ? shown->about.gpus : std::numeric_limits<int32_t>::max();
  }
  worker.about.environment = shown ? shown->about.environment : Json();
  worker.about.ends_at = view.now.wall + site.seconds() - site.queue.checkpoint_seconds;
  return worker;
}

// Which tasks the site's allocations could run. Computed once per task.
class Fitness {
 public:
  Fitness(const Engine::View& view, const std::optional<slurm::Site>& site) : view_(view) {
    if (site) worker_ = worker_of(view, *site);
  }

  std::string why_not(const TaskEntry& entry) const {
    return worker_ ? unfit(view_.state, entry, *worker_, view_.now, view_.settings) : "";
  }

  // False also if a dependency is unreachable; a running task already has its worker.
  bool reachable(const TaskEntry& entry) {
    if (!worker_ || entry.state == TaskState::kDone || entry.state == TaskState::kRunning) {
      return true;
    }
    const auto [known, fresh] = reachable_.try_emplace(&entry, true);
    if (!fresh) return known->second;
    bool can = why_not(entry).empty();
    for (const TaskEntry* each : entry.dependencies) can = can && reachable(*each);
    return reachable_[&entry] = can;
  }

 private:
  const Engine::View& view_;
  std::optional<Worker> worker_;
  std::unordered_map<const TaskEntry*, bool> reachable_;
};

}  // namespace

std::string unfit_for_site(const Engine::View& view, const TaskEntry& entry,
                           const slurm::Site& site) {
  return Fitness(view, site).why_not(entry);
}

slurm::Demand demand_of(const Engine::View& view, const std::optional<slurm::Site>& site) {
  slurm::Demand demand;
  count_workers(view, demand);
  Fitness fitness(view, site);
  const double worth_seconds = site ? site->queue.worth_seconds : 0;
  for (const auto& [id, entry] : view.state.tasks) {
    if (entry.state == TaskState::kRunning) ++demand.running;
    if (open(entry.state) && fitness.reachable(entry)) ++demand.unfinished;
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
      if (may_start <= 0) break;
      if (!counted.insert(task).second) continue;
      if (!fitness.reachable(*task)) {
        if (demand.unfit++ == 0) {
          demand.unfit_why = fmt::format("'{}': {}", task->title, fitness.why_not(*task));
        }
        continue;
      }
      --may_start;
      const auto seconds = estimate.left(*task);
      demand.ready += seconds && worth_seconds > 0 ? std::min(1.0, *seconds / worth_seconds) : 1.0;
    }
  }
  return demand;
}

}  // namespace remixer::coordinator
