// SPDX-License-Identifier: Apache-2.0
#include "coordinator/scheduler/placement.h"

#include <algorithm>

#include "base/clock.h"

namespace remixer::coordinator {
namespace {

bool suspect(const TaskEntry& entry, const Settings& settings) {
  return entry.crashes >= settings.suspect_limit;
}

bool working(const TaskEntry& entry) {
  return entry.newest && entry.newest->state == AttemptState::kRunning;
}

std::string host_of(const State& state, const std::string& worker_id) {
  const auto worker = state.workers.find(worker_id);
  return worker == state.workers.end() ? worker_id : worker->second.about.host;
}

// Tasks currently running on a host.
struct HostLoad {
  int64_t running = 0;
  const TaskEntry* suspect = nullptr;
};

HostLoad load_of(const State& state, const std::string& host, const Settings& settings) {
  HostLoad load;
  for (const std::string& id : state.held) {
    const TaskEntry& entry = state.task(id);
    if (!working(entry) || host_of(state, entry.newest->worker_id) != host) continue;
    ++load.running;
    if (suspect(entry, settings)) load.suspect = &entry;
  }
  return load;
}

// The earliest time at which the task's own history lets it start.
double earliest(const TaskEntry& entry) {
  return std::max(entry.not_before, entry.newest ? entry.newest->held_until : 0.0);
}

// Seconds that a worker must have left to get the task; 0 if unknown.
double needed_seconds(const State& state, const TaskEntry& entry, const Settings& settings) {
  const double whole = usual_seconds(state, entry).value_or(0) * 1.1;
  // The next worker resumes a training's checkpoint, or keeps labels already written.
  const bool goes_on = entry.kind == TaskKind::kTrain || entry.kind == TaskKind::kLabel;
  return goes_on ? std::min(whole, settings.useful_seconds) : whole;
}

bool large_enough(const TaskEntry& entry, const GridEntry& grid, const Worker& worker) {
  if (entry.kind != TaskKind::kTrain) return true;
  return worker.about.ranks >= grid.settings.ranks && worker.about.gpus >= grid.settings.gpus;
}

bool enough_time(const State& state, const TaskEntry& entry, const Worker& worker, const Now& now,
                 const Settings& settings) {
  if (worker.about.ends_at <= 0) return true;
  const double left = worker.about.ends_at - now.wall;
  return left > 0 && left >= needed_seconds(state, entry, settings);
}

bool active(const GridEntry& grid) {
  return !grid.cancelled && grid.paused == Pause::kNone;
}

// In a cancelled grid, only tasks requeued individually are still to be done.
bool wanted_elsewhere(const TaskEntry& entry) {
  return std::any_of(entry.grids.begin(), entry.grids.end(),
                     [](const GridEntry* grid) { return !grid->cancelled; });
}

bool at_limit(const GridEntry& grid) {
  return grid.settings.max_running > 0 &&
         grid.count(TaskState::kRunning) >= grid.settings.max_running;
}

std::vector<GridEntry*> grids_by_turn(State& state) {
  std::vector<GridEntry*> grids;
  for (auto& [id, grid] : state.grids) {
    if (grid.ready.empty() || grid.paused != Pause::kNone || at_limit(grid)) continue;
    grids.push_back(&grid);
  }
  const auto rank = [](const GridEntry* grid) {
    return std::tuple(-grid->settings.priority, grid->count(TaskState::kRunning), grid->served,
                      grid->id);
  };
  std::sort(grids.begin(), grids.end(),
            [&](const GridEntry* a, const GridEntry* b) { return rank(a) < rank(b); });
  return grids;
}

bool present(const Worker& worker, const Now& now, const Settings& settings) {
  return !worker.gone && now.monotonic - worker.seen < settings.lease_seconds;
}

// Why no grid lets the task start; empty if one does.
std::string held_back(const TaskEntry& entry) {
  std::string why;
  for (const GridEntry* grid : entry.grids) {
    if (active(*grid) && !at_limit(*grid)) return {};
    if (grid->cancelled) continue;
    why = grid->paused != Pause::kNone
              ? fmt::format("grid '{}' is paused; `remixer resume {}` continues it", grid->name,
                            grid->id)
              : fmt::format("grid '{}' has {} tasks running, as many as it may", grid->name,
                            grid->count(TaskState::kRunning));
  }
  return why;
}

struct Fit {
  int64_t there = 0, suited = 0, large = 0, timely = 0, free = 0, aside = 0;
  std::string unsuited;  // the reason, for one unsuited worker
};

// The task failed on this worker, and other suitable workers are present.
bool left_to_others(const State& state, const TaskEntry& entry, const Worker& worker,
                    const Now& now, const Settings& settings) {
  const auto failed = state.failed_on.find(entry.id());
  if (failed == state.failed_on.end() || !failed->second.count(worker.id)) return false;
  return std::any_of(state.workers.begin(), state.workers.end(), [&](const auto& each) {
    const Worker& other = each.second;
    return !failed->second.count(other.id) && present(other, now, settings) &&
           !set_aside(other, settings) && unsuited(entry, other).empty();
  });
}

// While the disk is full nothing starts; after the pause, one task tries whether there is space.
bool no_room(const State& state, const Now& now) {
  constexpr double kTrialSeconds = 60;
  const NoSpace& trouble = state.no_space;
  if (trouble.times == 0) return false;
  if (now.monotonic < trouble.until) return true;
  return std::any_of(state.held.begin(), state.held.end(), [&](const std::string& id) {
    const TaskEntry& entry = state.task(id);
    return working(entry) && entry.newest->started > trouble.since &&
           now.monotonic - entry.newest->started < kTrialSeconds;
  });
}

Fit workers_for(const State& state, const TaskEntry& entry, const Now& now,
                const Settings& settings) {
  Fit fit;
  for (const auto& [id, worker] : state.workers) {
    if (!present(worker, now, settings)) continue;
    ++fit.there;
    if (set_aside(worker, settings)) {
      ++fit.aside;
      continue;
    }
    if (const std::string why = unsuited(entry, worker); !why.empty()) {
      fit.unsuited = fmt::format("{}: {}", worker.about.name, why);
      continue;
    }
    ++fit.suited;
    const bool large = std::any_of(entry.grids.begin(), entry.grids.end(),
                                   [&, &worker = worker](const GridEntry* grid) {
                                     return large_enough(entry, *grid, worker);
                                   });
    if (!large) continue;
    ++fit.large;
    if (!enough_time(state, entry, worker, now, settings)) continue;
    ++fit.timely;
    const HostLoad load = load_of(state, worker.about.host, settings);
    fit.free += !load.suspect && (!suspect(entry, settings) || load.running == 0);
  }
  return fit;
}

std::string wanted_text(const TaskEntry& entry) {
  int64_t ranks = 0, gpus = 0;
  for (const GridEntry* grid : entry.grids) {
    ranks = std::max(ranks, grid->settings.ranks);
    gpus = std::max(gpus, grid->settings.gpus);
  }
  return gpus > 0 ? fmt::format("{} ranks and {} GPUs", std::max<int64_t>(1, ranks), gpus)
                  : fmt::format("{} ranks", ranks);
}

int64_t tasks_before(const TaskEntry& entry) {
  int64_t least = -1;
  for (const GridEntry* grid : entry.grids) {
    if (!active(*grid)) continue;
    int64_t before = 0;
    for (const auto& each : grid->ready) {
      if (each.second == &entry) break;
      ++before;
    }
    least = least < 0 ? before : std::min(least, before);
  }
  return std::max<int64_t>(0, least);
}

}  // namespace

std::string unsuited(const TaskEntry& entry, const Worker& worker) {
  const auto& about = worker.about;
  const bool computes = entry.kind == TaskKind::kTrain || entry.kind == TaskKind::kEvaluate ||
                        entry.kind == TaskKind::kSaliency;
  if (computes && entry.cell && entry.cell->precision.text() == "fp16" &&
      !about.device.starts_with("cuda")) {
    return "precision fp16 needs a GPU, and it computes on " + about.device;
  }
  if (entry.kind == TaskKind::kTrain && entry.cell && entry.cell->shards > 0 && about.ranks > 0 &&
      entry.cell->shards % about.ranks != 0) {
    return fmt::format("its {} ranks do not divide the batch's {} shards", about.ranks,
                       entry.cell->shards);
  }
  const std::string& weights = entry.weights;
  if (weights.empty() || !about.environment.is_object()) return {};
  // A worker of an older version does not report its weights.
  const auto there = about.environment.find("weights");
  if (there == about.environment.end() || !there->is_array()) return {};
  const bool has = std::find(there->begin(), there->end(), Json(weights)) != there->end();
  return has ? "" : "its folder of weights lacks " + weights;
}

std::string unfit(const State& state, const TaskEntry& entry, const Worker& worker, const Now& now,
                  const Settings& settings) {
  std::string why = unsuited(entry, worker);
  if (!why.empty()) return why;
  const bool large =
      std::any_of(entry.grids.begin(), entry.grids.end(),
                  [&](const GridEntry* grid) { return large_enough(entry, *grid, worker); });
  if (!large) {
    return fmt::format("the grid wants workers of {}, and it has {} ranks and {} GPUs",
                       wanted_text(entry), worker.about.ranks, worker.about.gpus);
  }
  if (!enough_time(state, entry, worker, now, settings)) {
    return fmt::format("the task takes about {}, and it has {}",
                       duration_text(needed_seconds(state, entry, settings)),
                       duration_text(std::max(0.0, worker.about.ends_at - now.wall)));
  }
  return {};
}

bool set_aside(const Worker& worker, const Settings& settings) {
  return worker.blamed >= settings.blame_limit;
}

bool another_host_can(const State& state, const TaskEntry& entry, const Now& now,
                      const Settings& settings) {
  const std::string host = host_of(state, entry.newest->worker_id);
  return std::any_of(state.workers.begin(), state.workers.end(), [&](const auto& each) {
    const Worker& other = each.second;
    return other.about.host != host && present(other, now, settings) &&
           !set_aside(other, settings) && unsuited(entry, other).empty();
  });
}

bool runs_alone(const State& state, const TaskEntry& entry, const Now& now,
                const Settings& settings) {
  const std::string& own = entry.newest->worker_id;
  const std::string host = host_of(state, own);
  for (const auto& [id, worker] : state.workers) {
    const bool lost = now.monotonic - worker.lost < settings.lease_seconds;
    if (id != own && lost && worker.about.host == host) return false;
  }
  return std::none_of(state.held.begin(), state.held.end(), [&](const std::string& id) {
    const TaskEntry& other = state.task(id);
    return &other != &entry && working(other) && host_of(state, other.newest->worker_id) == host;
  });
}

TaskEntry* next_task(State& state, const Worker& worker, const Now& now, const Settings& settings,
                     double& wait) {
  if (set_aside(worker, settings) || no_room(state, now)) return nullptr;
  const HostLoad load = load_of(state, worker.about.host, settings);
  if (load.suspect) return nullptr;
  for (GridEntry* grid : grids_by_turn(state)) {
    for (const auto& [order, entry] : grid->ready) {
      if (grid->cancelled && wanted_elsewhere(*entry)) continue;
      if (suspect(*entry, settings) && load.running > 0) continue;
      if (entry->clearing > 0) continue;
      if (!large_enough(*entry, *grid, worker)) continue;
      if (!unsuited(*entry, worker).empty()) continue;
      if (!enough_time(state, *entry, worker, now, settings)) continue;
      if (left_to_others(state, *entry, worker, now, settings)) continue;
      const double from = earliest(*entry);
      if (from > now.monotonic) {
        wait = std::min(wait, from - now.monotonic);
        continue;
      }
      grid->served = ++state.turn;
      return entry;
    }
  }
  return nullptr;
}

std::string why_ready_waits(const State& state, const TaskEntry& entry, const Now& now,
                            const Settings& settings) {
  const std::string why = held_back(entry);
  if (!why.empty()) return why;
  const double pause = entry.not_before - now.monotonic;
  if (pause > 0 && entry.newest) {
    return fmt::format("attempt {} ended ({}); tried again in {}", entry.newest->number,
                       entry.newest->reason, duration_text(pause));
  }
  const double held = entry.newest ? entry.newest->held_until - now.monotonic : 0;
  if (held > 0) {
    return fmt::format("waits {} for the lease of attempt {} to end", duration_text(held),
                       entry.newest->number);
  }
  if (no_room(state, now)) {
    return fmt::format("ready; waits for room in the workspace ({}), and continues when there is",
                       state.no_space.reason);
  }
  if (entry.clearing > 0) return "ready; starts when its old files are deleted";
  const Fit fit = workers_for(state, entry, now, settings);
  if (fit.there == 0) return "ready, but there is no worker";
  if (fit.suited == 0 && fit.unsuited.empty()) {
    return fmt::format(
        "ready, but the {} workers there are set aside: they failed what others did; see their "
        "logs, and start them again",
        fit.aside);
  }
  if (fit.suited == 0) {
    return fmt::format("ready, but no worker of the {} there can run it; {}", fit.there,
                       fit.unsuited);
  }
  if (fit.large == 0) {
    return fmt::format("ready, but wants a worker of {}, and none of the {} there has so many",
                       wanted_text(entry), fit.there);
  }
  if (fit.timely == 0) {
    return fmt::format(
        "ready, but takes about {}, and no worker of those there has so much of its time left",
        duration_text(needed_seconds(state, entry, settings)));
  }
  if (fit.free == 0 && suspect(entry, settings)) {
    return fmt::format(
        "ready; {} workers died while it ran, so it waits for a host on which nothing else runs",
        entry.crashes);
  }
  if (fit.free == 0) return "ready; a task that may have killed workers runs alone on their host";
  return fmt::format("ready; {} tasks are before it, and there are {} workers", tasks_before(entry),
                     fit.there);
}

}  // namespace remixer::coordinator
