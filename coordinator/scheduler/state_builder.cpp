// SPDX-License-Identifier: Apache-2.0
#include "coordinator/scheduler/state_builder.h"

#include <algorithm>

#include "coordinator/scheduler/index.h"
#include "coordinator/scheduler/prepared_grid.h"

namespace remixer::coordinator {
namespace {

template <typename T>
void put_at(std::vector<T*>& list, int64_t number, T* entry) {
  if (list.size() <= static_cast<size_t>(number)) list.resize(static_cast<size_t>(number) + 1);
  list[static_cast<size_t>(number)] = entry;
}

}  // namespace

void StateBuilder::add_cell(const StoredCell& cell) {
  const auto place = state_.cells.try_emplace(cell.id).first;
  CellEntry& entry = place->second;
  entry.key = &place->first;
  entry.number = cell.number;
  entry.architecture = Name(cell.architecture);
  entry.spatial_prior = Name(cell.spatial_prior);
  entry.labeler_name = Name(cell.labeler_name);
  entry.dataset_name = Name(cell.dataset_name);
  entry.recipe_name = Name(cell.recipe_name);
  entry.seed = cell.seed;
  entry.precision = Name(cell.precision);
  entry.shards = static_cast<int32_t>(cell.shards);
  put_at(cells_, cell.number, &entry);
  state_.next_cell = std::max(state_.next_cell, cell.number + 1);
}

void StateBuilder::add_task(const StoredTask& task) {
  const auto place = state_.tasks.try_emplace(task.id).first;
  TaskEntry& entry = place->second;
  entry.key = &place->first;
  entry.number = task.number;
  entry.kind = task.kind;
  entry.state = task.state;
  if (task.cell > 0) entry.cell = cells_.at(static_cast<size_t>(task.cell));
  entry.similar = entry.cell ? Name(similar_text(task.kind, entry.cell->architecture,
                                                 entry.cell->spatial_prior, "", ""))
                             : Name(task.similar);
  entry.title = task.title;
  entry.order = task.order;
  entry.attempts = task.attempts;
  entry.fence = task.fence;
  entry.failures = static_cast<int32_t>(task.failures);
  entry.crashes = static_cast<int32_t>(task.crashes);
  entry.alone = static_cast<int32_t>(task.alone);
  entry.given_up = static_cast<int32_t>(task.given_up);
  entry.weights = Name(task.weights);
  entry.reason = task.reason;
  entry.seconds = task.seconds;
  entry.done_wall = task.done_wall;
  put_at(tasks_, task.number, &entry);
  state_.next_task = std::max(state_.next_task, task.number + 1);
  state_.next_order = std::max(state_.next_order, task.order + 1);
}

void StateBuilder::add_dependency(int64_t number, int64_t depends_on) {
  task(number).dependencies.push_back(&task(depends_on));
  task(depends_on).dependants.push_back(&task(number));
}

void StateBuilder::add_worker(Worker worker) {
  worker.seen = now_.monotonic;
  state_.next_worker =
      std::max(state_.next_worker, static_cast<int64_t>(1 + std::stoll(worker.id.substr(1))));
  const std::string id = worker.id;
  state_.workers.emplace(id, std::move(worker));
}

void StateBuilder::add_attempt(int64_t number, Attempt attempt, bool reported) {
  TaskEntry& entry = task(number);
  attempt.inherited = true;
  attempt.started = now_.monotonic - std::max(0.0, now_.wall - attempt.started_wall);
  attempt.progress_at = attempt.heard_at = now_.monotonic;
  attempt.held_until = reported ? 0 : now_.monotonic + settings_.lease_seconds;
  if (!reported) state_.held.insert(entry.id());
  if (entry.crashes > 0) entry.furthest = attempt.step;
  entry.newest = std::make_unique<Attempt>(std::move(attempt));
}

void StateBuilder::add_grid(GridEntry grid) {
  state_.next_grid = std::max(state_.next_grid, grid.id + 1);
  const int64_t id = grid.id;
  state_.grids.emplace(id, std::move(grid));
}

void StateBuilder::add_cell_member(int64_t grid, int64_t cell) {
  state_.grid(grid).cells.push_back(cells_.at(static_cast<size_t>(cell)));
}

void StateBuilder::add_member(int64_t grid, int64_t number) {
  coordinator::add_member(state_.grid(grid), task(number));
}

State StateBuilder::finish(int64_t last_fence, int64_t last_notice, int64_t last_grid) {
  index_loaded(state_);
  state_.next_fence = last_fence + 1;
  state_.next_notice = last_notice + 1;
  state_.next_grid = std::max(state_.next_grid, last_grid + 1);
  return std::move(state_);
}

}  // namespace remixer::coordinator
