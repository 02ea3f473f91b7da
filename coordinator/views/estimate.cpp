// SPDX-License-Identifier: Apache-2.0
#include "coordinator/views/estimate.h"

#include <algorithm>

namespace remixer::coordinator {
namespace {

bool of_training_set(const Name& similar) {
  return similar.text().ends_with(" train");
}

// Typical cost relative to training a cell, if the tables do not know the task's data or model.
double usual_cost(TaskKind kind, const Name& similar) {
  switch (kind) {
    case TaskKind::kPrepare:
      return 0.3;
    case TaskKind::kLabel:
      return of_training_set(similar) ? 1 : 0.15;
    case TaskKind::kTrain:
      return 1;
    case TaskKind::kEvaluate:
      return 0.02;
    case TaskKind::kSaliency:
      return 0.005;
  }
  return 1;
}

TaskKind kind_of(const Name& similar) {
  return experiments::task_kind_from_string(similar.text().substr(0, similar.text().find(' ')));
}

}  // namespace

std::optional<double> attempt_left(const Attempt& attempt, const Now& now) {
  const double moved = static_cast<double>(attempt.step - attempt.first_step);
  const double seconds = now.monotonic - attempt.first_step_at;
  if (attempt.first_step < 0 || moved <= 0 || attempt.total_steps <= 0) return std::nullopt;
  // The first steps are slow, and two heartbeats give a poor estimate of the pace.
  constexpr double kShortestLook = 10, kSmallestPart = 0.1;
  if (seconds < kShortestLook && moved < kSmallestPart * static_cast<double>(attempt.total_steps)) {
    return std::nullopt;
  }
  return std::max(0.0, static_cast<double>(attempt.total_steps - attempt.step)) * seconds / moved;
}

Estimate::Estimate(const State& state, const Now& now) : state_(state), now_(now) {
  Mean training;
  for (const auto& [similar, stated] : state.costs) {
    if (kind_of(similar) == TaskKind::kTrain) training.add(stated);
  }
  if (training.count > 0) training_ = training.value();
  const auto learn = [&](const Name& similar, const Mean& taken) {
    const TaskKind kind = kind_of(similar);
    const double stated = cost(kind, similar) * taken.count;
    kind_[kind].add(taken.sum, stated);
    any_.add(taken.sum, stated);
  };
  for (const auto& [similar, taken] : state.durations) learn(similar, taken);
  for (const std::string& id : state.held) {
    const TaskEntry& entry = state.task(id);
    if (entry.state != TaskState::kRunning) continue;
    const auto left = attempt_left(*entry.newest, now);
    if (!left) continue;
    const double seconds = entry.seconds + (now.monotonic - entry.newest->started) + *left;
    similar_[entry.similar].add(seconds);
    learn(entry.similar, {seconds, 1});
  }
}

double Estimate::cost(TaskKind kind, const Name& similar) const {
  const auto stated = state_.costs.find(similar);
  return stated == state_.costs.end() ? training_ * usual_cost(kind, similar)
                                      : stated->second.value();
}

std::optional<double> Estimate::whole(TaskKind kind, const Name& similar) const {
  Mean alike;
  if (const auto done = state_.durations.find(similar); done != state_.durations.end()) {
    alike.add(done->second);
  }
  if (const auto running = similar_.find(similar); running != similar_.end()) {
    alike.add(running->second);
  }
  if (alike.count > 0) return alike.value();
  const auto of_kind = kind_.find(kind);
  const Pace& pace = of_kind == kind_.end() ? any_ : of_kind->second;
  if (pace.cost > 0) return pace.seconds / pace.cost * cost(kind, similar);
  return std::nullopt;
}

std::optional<double> Estimate::left(const TaskEntry& entry) const {
  if (!open(entry.state)) return 0;
  if (entry.state == TaskState::kRunning) {
    if (const auto left = attempt_left(*entry.newest, now_)) return left;
  }
  const auto all = whole(entry.kind, entry.similar);
  if (!all) return std::nullopt;
  const double spent =
      entry.state == TaskState::kRunning ? now_.monotonic - entry.newest->started : 0;
  return std::max(0.0, *all - entry.seconds - spent);
}

GridOutlook outlook(const GridEntry& grid, const State& state, const Estimate& estimate,
                    const Now& now) {
  double whole = 0, left = 0, longest = 0;
  int64_t open_tasks = 0, working = 0;
  bool known = true;
  for (const auto& [similar, work] : grid.work) {
    if (work.tasks == 0) continue;
    open_tasks += work.open;
    const auto each = estimate.whole(kind_of(similar), similar);
    if (!each) {
      known = known && work.open == 0;
      continue;
    }
    const double class_left = std::max(0.0, *each * static_cast<double>(work.open) - work.spent);
    whole += std::max(*each * static_cast<double>(work.tasks), class_left);
    left += class_left;
    if (work.open > 0) longest = std::max(longest, std::min(*each, class_left));
  }
  // Subtracts the time already spent by running tasks.
  for (const std::string& id : state.held) {
    const TaskEntry& entry = state.task(id);
    if (entry.state != TaskState::kRunning) continue;
    if (std::find(entry.grids.begin(), entry.grids.end(), &grid) == entry.grids.end()) continue;
    const auto each = estimate.whole(entry.kind, entry.similar);
    const auto task_left = estimate.left(entry);
    if (!each || !task_left) continue;
    left += *task_left - std::max(0.0, *each - entry.seconds);
    longest = std::max(longest, *task_left);
  }
  left = std::max(0.0, left);
  for (const auto& [id, worker] : state.workers) {
    if (!worker.gone && now.monotonic - worker.seen < 60) ++working;
  }
  GridOutlook out;
  const double count = static_cast<double>(grid.tasks.size());
  out.fraction = open_tasks == 0 ? 1
                 : known && whole > 0
                     ? std::clamp(1 - left / whole, 0.0, 1.0)
                     : (count - static_cast<double>(open_tasks)) / std::max(1.0, count);
  if (open_tasks == 0) {
    out.seconds_left = 0;
  } else if (known) {
    out.seconds_left = std::max(std::min(longest, left),
                                left / static_cast<double>(std::max<int64_t>(1, working)));
  }
  return out;
}

}  // namespace remixer::coordinator
