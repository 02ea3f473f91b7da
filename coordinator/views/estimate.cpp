#include "coordinator/views/estimate.h"

#include <algorithm>

namespace remixer::coordinator {
namespace {

std::string similarity(const State& state, const TaskEntry& entry) {
  std::string key(experiments::to_string(entry.task.kind));
  const auto cell = state.cells.find(entry.task.cell_id);
  if (cell != state.cells.end()) {
    key += " " + cell->second.architecture + " " + cell->second.spatial_prior;
  } else if (entry.task.kind == TaskKind::kLabel && entry.task.spec.contains("labeler")) {
    const Json& labeler = entry.task.spec["labeler"];
    if (labeler.is_object() && labeler.contains("name")) key += " " + labeler["name"].dump();
    if (entry.task.spec.value("split", "") == "train") key += " train";
  }
  return key;
}

// What a task usually costs beside training a cell: the only guess until its kind was measured.
double usual_cost(const Task& task) {
  switch (task.kind) {
    case TaskKind::kPrepare:
      return 0.3;
    case TaskKind::kLabel:
      return task.spec.value("split", "") == "train" ? 1 : 0.15;
    case TaskKind::kTrain:
      return 1;
    case TaskKind::kEvaluate:
      return 0.02;
  }
  return 1;
}

bool unfinished(TaskState state) {
  return state == TaskState::kWaiting || state == TaskState::kReady || state == TaskState::kRunning;
}

}  // namespace

std::optional<double> attempt_left(const Attempt& attempt, const Now& now) {
  const double moved = static_cast<double>(attempt.step - attempt.first_step);
  const double seconds = now.monotonic - attempt.first_step_at;
  if (attempt.first_step < 0 || moved <= 0 || seconds <= 0 || attempt.total_steps <= 0) {
    return std::nullopt;
  }
  return std::max(0.0, static_cast<double>(attempt.total_steps - attempt.step)) * seconds / moved;
}

Estimate::Estimate(const State& state, const Now& now) : state_(state), now_(now) {
  for (const auto& [id, entry] : state.tasks) {
    std::optional<double> seconds;
    if (entry.state == TaskState::kDone && entry.seconds > 0) {
      seconds = entry.seconds;
    } else if (entry.state == TaskState::kRunning) {
      const auto left = attempt_left(*entry.newest, now);
      if (left) seconds = entry.seconds + (now.monotonic - entry.newest->started) + *left;
    }
    if (!seconds) continue;
    similar_[similarity(state, entry)].add(*seconds);
    kind_[entry.task.kind].add(*seconds);
    unit_.add(*seconds / usual_cost(entry.task));
  }
}

std::optional<double> Estimate::whole(const TaskEntry& entry) const {
  const auto similar = similar_.find(similarity(state_, entry));
  if (similar != similar_.end()) return similar->second.value();
  const auto kind = kind_.find(entry.task.kind);
  if (kind != kind_.end()) return kind->second.value();
  if (unit_.count > 0) return unit_.value() * usual_cost(entry.task);
  return std::nullopt;
}

std::optional<double> Estimate::left(const TaskEntry& entry) const {
  if (!unfinished(entry.state)) return 0;
  if (entry.state == TaskState::kRunning) {
    if (const auto left = attempt_left(*entry.newest, now_)) return left;
  }
  const auto all = whole(entry);
  if (!all) return std::nullopt;
  const double spent =
      entry.state == TaskState::kRunning ? now_.monotonic - entry.newest->started : 0;
  return std::max(0.0, *all - entry.seconds - spent);
}

GridOutlook outlook(const GridEntry& grid, const State& state, const Estimate& estimate,
                    const Now& now) {
  double whole = 0, left = 0, longest = 0;
  int64_t finished = 0, working = 0;
  bool known = true;
  for (const std::string& id : grid.tasks) {
    const TaskEntry& entry = state.task(id);
    if (!unfinished(entry.state)) ++finished;
    const auto task_whole = estimate.whole(entry);
    const auto task_left = estimate.left(entry);
    known = known && task_whole && task_left;
    if (!known) continue;
    whole += std::max(*task_whole, *task_left);
    left += *task_left;
    longest = std::max(longest, *task_left);
  }
  for (const auto& [id, worker] : state.workers) {
    if (!worker.gone && now.monotonic - worker.seen < 60) ++working;
  }
  GridOutlook out;
  const double count = static_cast<double>(grid.tasks.size());
  const bool all = finished == static_cast<int64_t>(grid.tasks.size());
  out.fraction = all                  ? 1
                 : known && whole > 0 ? std::clamp(1 - left / whole, 0.0, 1.0)
                                      : static_cast<double>(finished) / std::max(1.0, count);
  if (all) {
    out.seconds_left = 0;
  } else if (known) {
    out.seconds_left = std::max(longest, left / static_cast<double>(std::max<int64_t>(1, working)));
  }
  return out;
}

}  // namespace remixer::coordinator
