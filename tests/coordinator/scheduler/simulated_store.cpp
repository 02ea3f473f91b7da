// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/scheduler/simulated_store.h"

#include <algorithm>

namespace remixer::coordinator::testing {

struct SimulatedStore::Writer {
  Rows& rows;

  void operator()(const PutCell& put) {
    const PreparedCell& cell = put.grid->cells[put.index];
    rows.cells[put.number] = {put.number,         cell.id,           cell.architecture,
                              cell.spatial_prior, cell.labeler_name, cell.dataset_name,
                              cell.recipe_name,   cell.seed,         cell.precision,
                              cell.shards};
  }
  void operator()(const PutTask& put) {
    const PreparedTask& task = put.grid->tasks[put.index];
    StateBuilder::StoredTask& row = rows.tasks[put.number];
    row.number = put.number;
    row.cell = put.cell;
    row.id = task.id;
    row.title = task.title;
    row.similar = task.similar;
    row.kind = task.kind;
    row.weights = task.weights;
    row.order = put.order;
    rows.dependencies[put.number] = put.dependencies;
  }
  void operator()(const PutTitle& put) { rows.tasks.at(put.task).title = put.title; }
  void operator()(const PutTaskState& put) {
    StateBuilder::StoredTask& row = rows.tasks.at(put.task);
    row.state = put.state;
    row.order = put.order;
    row.attempts = put.attempts;
    row.fence = put.fence;
    row.failures = put.failures;
    row.crashes = put.crashes;
    row.alone = put.alone;
    row.given_up = put.given_up;
    row.reason = put.reason;
    row.seconds = put.seconds;
    row.done_wall = put.done_wall;
    if (put.state != TaskState::kDone) rows.results.erase(put.task);
  }
  void operator()(const PutAttempt& put) {
    rows.attempts[put.attempt.fence] = {put.task, put.attempt, put.attempt.held_until == 0};
  }
  void operator()(const PutWorker& put) { rows.workers[put.worker.id] = put.worker; }
  void operator()(const PutGrid& put) {
    rows.grids[put.id] = put;
    rows.last_grid = std::max(rows.last_grid, put.id);
  }
  void operator()(const PutGridState& put) { rows.grid_states[put.id] = put; }
  void operator()(const DeleteGrid& put) {
    rows.grids.erase(put.id);
    rows.grid_states.erase(put.id);
  }
  void operator()(const PutMetrics&) {}
  void operator()(const PutResult& put) {
    rows.spoiled = rows.spoiled || rows.results.count(put.task) > 0 ||
                   rows.tasks.at(put.task).fence != put.fence;
    rows.results[put.task] = {put.fence, put.result};
  }
  void operator()(const DeleteFigures&) {}
  void operator()(const PutNotice& put) {
    rows.notices[put.id] = put;
    rows.last_notice = std::max(rows.last_notice, put.id);
  }
  void operator()(const DeleteNotice& put) { rows.notices.erase(put.id); }
};

void SimulatedStore::commit(const std::vector<Write>& writes) {
  commit_part(writes, writes.size());
}

void SimulatedStore::commit_part(const std::vector<Write>& writes, size_t count) {
  before_ = rows_;
  Writer writer{rows_};
  for (size_t i = 0; i < std::min(count, writes.size()); ++i) std::visit(writer, writes[i]);
}

State SimulatedStore::load(const Now& now, const Settings& settings) const {
  StateBuilder builder(now, settings);
  for (const auto& [number, cell] : rows_.cells) builder.add_cell(cell);
  for (const auto& [number, task] : rows_.tasks) builder.add_task(task);
  for (const auto& [number, list] : rows_.dependencies) {
    for (const int64_t other : list) builder.add_dependency(number, other);
  }
  for (const auto& [id, worker] : rows_.workers) builder.add_worker(worker);
  for (const auto& [fence, row] : rows_.attempts) {
    const StateBuilder::StoredTask& task = rows_.tasks.at(row.task);
    if (task.fence != fence || task.state == TaskState::kDone) continue;
    // What the database does not keep.
    Attempt attempt;
    attempt.number = row.attempt.number;
    attempt.fence = fence;
    attempt.worker_id = row.attempt.worker_id;
    attempt.state = row.attempt.state;
    attempt.started_wall = row.attempt.started_wall;
    attempt.ended_wall = row.attempt.ended_wall;
    attempt.reason = row.attempt.reason;
    attempt.step = row.attempt.step;
    builder.add_attempt(row.task, std::move(attempt), row.reported);
  }
  for (const auto& [id, put] : rows_.grids) {
    GridEntry grid;
    grid.id = id;
    grid.name = put.grid->name;
    grid.key = put.key;
    const auto state = rows_.grid_states.find(id);
    if (state != rows_.grid_states.end()) {
      grid.cancelled = state->second.cancelled;
      grid.paused = state->second.paused;
      grid.said = state->second.said;
      grid.settings = state->second.settings;
    }
    builder.add_grid(std::move(grid));
    for (const int64_t cell : put.cells) builder.add_cell_member(id, cell);
    for (const int64_t task : put.tasks) builder.add_member(id, task);
  }
  return builder.finish(rows_.attempts.empty() ? 0 : rows_.attempts.rbegin()->first,
                        rows_.last_notice, rows_.last_grid);
}

}  // namespace remixer::coordinator::testing
