// SPDX-License-Identifier: Apache-2.0
#include "coordinator/scheduler/index.h"

#include <algorithm>

namespace remixer::coordinator {
namespace {

// Adds (sign 1) or removes (-1) the task, in its current state, in the grid's counts.
void apply(GridEntry& grid, TaskEntry& entry, int sign) {
  grid.counts[static_cast<size_t>(entry.kind)][static_cast<size_t>(entry.state)] += sign;
  GridEntry::Work& work = grid.work[entry.similar];
  work.tasks += sign;
  if (open(entry.state)) {
    work.open += sign;
    work.spent += sign * entry.seconds;
  }
  if (entry.state == TaskState::kReady) {
    if (sign > 0) grid.ready.insert({entry.order, &entry});
    if (sign < 0) grid.ready.erase({entry.order, &entry});
  }
  if (!entry.cell) return;
  GridEntry::CellCount& cell = grid.by_cell[entry.cell];
  grid.cells_done -= cell.tasks > 0 && cell.done == cell.tasks;
  grid.cells_failed -= cell.stuck > 0;
  cell.tasks += sign;
  cell.done += sign * (entry.state == TaskState::kDone);
  cell.running += sign * (entry.state == TaskState::kRunning);
  cell.stuck += sign * stuck(entry.state);
  grid.cells_done += cell.tasks > 0 && cell.done == cell.tasks;
  grid.cells_failed += cell.stuck > 0;
}

template <typename Change>
void change(TaskEntry& entry, Change how) {
  for (GridEntry* grid : entry.grids) apply(*grid, entry, -1);
  how();
  for (GridEntry* grid : entry.grids) apply(*grid, entry, 1);
}

void enter(State& state, TaskEntry& entry) {
  if (entry.state == TaskState::kFailed) state.failed.insert({entry.done_wall, &entry});
  if (entry.state == TaskState::kDone) {
    state.done_lately.insert({entry.done_wall, &entry});
    if (state.done_lately.size() > State::kDoneLately) {
      state.done_lately.erase(state.done_lately.begin());
    }
  }
  if (!open(entry.state)) {
    for (GridEntry* grid : entry.grids) {
      grid->ended_wall = std::max(grid->ended_wall, entry.done_wall);
    }
  }
}

void note_duration(State& state, const TaskEntry& entry) {
  if (entry.state != TaskState::kDone || entry.seconds <= 0) return;
  // For tasks that restart with each attempt, the total time is not a duration.
  const bool anew = entry.kind == TaskKind::kPrepare || entry.kind == TaskKind::kEvaluate ||
                    entry.kind == TaskKind::kSaliency;
  if (anew && entry.attempts > 1) return;
  state.durations[entry.similar].add(entry.seconds);
  state.kind_durations[static_cast<size_t>(entry.kind)].add(entry.seconds);
}

template <typename Set>
void erase_entry(Set& set, const TaskEntry& entry) {
  if (set.erase({entry.done_wall, const_cast<TaskEntry*>(&entry)}) > 0) return;
  // done_wall has changed since insertion.
  const auto found =
      std::find_if(set.begin(), set.end(), [&](const auto& each) { return each.second == &entry; });
  if (found != set.end()) set.erase(found);
}

void leave(State& state, const TaskEntry& entry) {
  if (entry.state == TaskState::kFailed) erase_entry(state.failed, entry);
  if (entry.state == TaskState::kDone) erase_entry(state.done_lately, entry);
}

}  // namespace

void add_member(GridEntry& grid, TaskEntry& entry) {
  grid.tasks.push_back(&entry);
  entry.grids.push_back(&grid);
  apply(grid, entry, 1);
  if (!open(entry.state)) grid.ended_wall = std::max(grid.ended_wall, entry.done_wall);
}

void remove_members(GridEntry& grid) {
  for (TaskEntry* entry : grid.tasks) {
    apply(grid, *entry, -1);
    std::erase(entry->grids, &grid);
  }
  grid.tasks.clear();
  grid.cells.clear();
  grid.by_cell.clear();
}

void set_state(State& state, TaskEntry& entry, TaskState to) {
  leave(state, entry);
  const TaskState from = entry.state;
  change(entry, [&] { entry.state = to; });
  enter(state, entry);
  if (from != to) note_duration(state, entry);
}

void set_order(TaskEntry& entry, int64_t order) {
  change(entry, [&] { entry.order = order; });
}

void set_seconds(TaskEntry& entry, double seconds) {
  change(entry, [&] { entry.seconds = std::max(0.0, seconds); });
}

void index_loaded(State& state) {
  for (auto& [id, entry] : state.tasks) {
    enter(state, entry);
    note_duration(state, entry);
  }
}

}  // namespace remixer::coordinator
