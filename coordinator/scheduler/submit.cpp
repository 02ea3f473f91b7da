// SPDX-License-Identifier: Apache-2.0
// Submits a grid: new or failed tasks are queued, done or running ones are shared.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/hash.h"
#include "coordinator/scheduler/handlers.h"
#include "coordinator/scheduler/index.h"

namespace remixer::coordinator {

using experiments::protocol::GridSubmitted;

namespace {

using Grid = std::shared_ptr<const PreparedGrid>;

// Checks everything that could be wrong with the grid, before changing anything.
void check(const State& state, const PreparedGrid& grid) {
  if (grid.name.empty()) fail_input("a grid needs a name");
  std::unordered_set<std::string_view> cells, tasks;
  for (const PreparedCell& cell : grid.cells) {
    if (!cells.insert(cell.id).second) {
      fail_input("grid '{}' holds cell {} twice", grid.name, cell.id);
    }
  }
  for (const PreparedTask& task : grid.tasks) {
    for (const int32_t dependency : task.dependencies) {
      const std::string& id = grid.dependency_id(dependency);
      if (dependency >= 0 || state.tasks.count(id)) continue;
      fail_input("task '{}' depends on {}, which is not among the tasks before it", task.title, id);
    }
    if (!tasks.insert(task.id).second) {
      fail_input("grid '{}' holds task '{}' twice", grid.name, task.title);
    }
  }
  const auto& settings = grid.settings;
  if (settings && (settings->max_running < 0 || settings->ranks < 0 || settings->gpus < 0)) {
    fail_input("grid '{}': max_running, ranks and gpus cannot be below 0", grid.name);
  }
}

// content_id() of {"cells": ids, "name": name, "tasks": ids}, without building it as JSON, which
// for 500,000 tasks would be the largest object in memory.
std::string key_of(const PreparedGrid& grid) {
  Sha256 hash;
  const auto list = [&](const char* before, const auto& members) {
    hash.update(before);
    bool first = true;
    for (const auto& member : members) {
      if (!std::exchange(first, false)) hash.update(",");
      hash.update(canonical_json(member.id));
    }
  };
  list("{\"cells\":[", grid.cells);
  hash.update("],\"name\":" + canonical_json(grid.name));
  list(",\"tasks\":[", grid.tasks);
  hash.update("]}");
  return hash.finish();
}

CellEntry* put_cell(Transition& t, const Grid& grid, size_t index) {
  const PreparedCell& cell = grid->cells[index];
  const auto [found, fresh] = t.state.cells.try_emplace(cell.id);
  CellEntry& entry = found->second;
  if (fresh) {
    entry.key = &found->first;
    entry.number = t.state.next_cell++;
    entry.architecture = cell.architecture;
    entry.spatial_prior = cell.spatial_prior;
    entry.seed = cell.seed;
    entry.precision = cell.precision;
    entry.shards = static_cast<int32_t>(cell.shards);
  }
  const bool same = entry.labeler_name == cell.labeler_name &&
                    entry.dataset_name == cell.dataset_name &&
                    entry.recipe_name == cell.recipe_name;
  if (fresh || !same) {
    entry.labeler_name = cell.labeler_name;
    entry.dataset_name = cell.dataset_name;
    entry.recipe_name = cell.recipe_name;
    t.effects.writes.push_back(PutCell{grid, index, entry.number});
  }
  return &entry;
}

TaskEntry& add_task(Transition& t, const Grid& grid, size_t index,
                    const std::vector<CellEntry*>& cells) {
  const PreparedTask& task = grid->tasks[index];
  const auto found = t.state.tasks.try_emplace(task.id).first;
  TaskEntry& entry = found->second;
  entry.key = &found->first;
  entry.number = t.state.next_task++;
  entry.kind = task.kind;
  entry.similar = task.similar;
  entry.weights = task.weights;
  entry.title = task.title;
  // The first task of those with the same `similar` sets their cost, as when the state is loaded.
  if (task.cost > 0) t.state.costs.try_emplace(entry.similar, Mean{task.cost, 1});
  entry.order = t.state.next_order++;
  PutTask put{grid, index, entry.number, 0, entry.order, {}};
  if (task.cell >= 0) {
    entry.cell = cells[static_cast<size_t>(task.cell)];
    put.cell = entry.cell->number;
  }
  put.dependencies.reserve(task.dependencies.size());
  entry.dependencies.reserve(task.dependencies.size());
  for (const int32_t each : task.dependencies) {
    TaskEntry& dependency = t.state.task(grid->dependency_id(each));
    dependency.dependants.push_back(&entry);
    entry.dependencies.push_back(&dependency);
    put.dependencies.push_back(dependency.number);
  }
  t.effects.writes.push_back(std::move(put));
  return entry;
}

void set_title(Transition& t, TaskEntry& entry, const std::string& title) {
  if (entry.title == title) return;
  entry.title = title;
  t.effects.writes.push_back(PutTitle{entry.number, title});
}

// Submitting the same grid again keeps its number.
GridEntry& entry_of(Transition& t, const std::string& key, bool& fresh) {
  fresh = true;
  for (auto& [id, grid] : t.state.grids) {
    if (grid.key != key) continue;
    fresh = false;
    return grid;
  }
  GridEntry& grid = t.state.grids[t.state.next_grid];
  grid.id = t.state.next_grid++;
  grid.key = key;
  return grid;
}

// Sets the grid's entry to what was submitted. Adds members before their states change, so that the
// grid counts the changes.
GridEntry& put_grid(Transition& t, const Grid& grid, const std::vector<TaskEntry*>& tasks,
                    const std::vector<CellEntry*>& cells) {
  bool fresh = false;
  GridEntry& entry = entry_of(t, key_of(*grid), fresh);
  entry.name = grid->name;
  entry.description = grid->description;
  entry.submitted_wall = t.now.wall;
  entry.cancelled = false;
  entry.paused = Pause::kNone;
  if (grid->settings) entry.settings = *grid->settings;
  if (!fresh) return entry;
  PutGrid put{grid, entry.id, entry.key, {}, {}};
  entry.cells = cells;
  for (const CellEntry* cell : cells) put.cells.push_back(cell->number);
  for (TaskEntry* task : tasks) {
    add_member(entry, *task);
    put.tasks.push_back(task->number);
  }
  t.effects.writes.push_back(std::move(put));
  return entry;
}

bool underway(const TaskEntry& entry) {
  return open(entry.state);
}

}  // namespace

void handle(Transition& t, const SubmitEvent& event) {
  const Grid& grid = event.grid;
  check(t.state, *grid);
  GridSubmitted reply;
  reply.cells = static_cast<int64_t>(grid->cells.size());
  reply.tasks = static_cast<int64_t>(grid->tasks.size());
  t.effects.writes.reserve(t.effects.writes.size() + grid->cells.size() + grid->tasks.size() + 8);
  std::vector<CellEntry*> cells;
  for (size_t i = 0; i < grid->cells.size(); ++i) cells.push_back(put_cell(t, grid, i));
  std::vector<TaskEntry*> tasks;
  std::unordered_set<const TaskEntry*> added;
  for (size_t i = 0; i < grid->tasks.size(); ++i) {
    const auto known = t.state.tasks.find(grid->tasks[i].id);
    if (known == t.state.tasks.end()) {
      tasks.push_back(&add_task(t, grid, i, cells));
      added.insert(tasks.back());
    } else {
      tasks.push_back(&known->second);
      set_title(t, known->second, grid->tasks[i].title);
    }
  }
  for (const auto& [id, number] : event.folders) pass_by_folders(t, id, number);
  GridEntry& entry = put_grid(t, grid, tasks, cells);
  reply.grid_id = entry.id;
  if (!added.empty()) {
    ++t.state.revision;
    t.touched.insert(entry.id);
  }
  std::unordered_set<const CellEntry*> unfinished;
  for (TaskEntry* task : tasks) {
    if (added.count(task)) {
      // It was stored as waiting; most tasks are.
      if (unfinished_state(*task) != task->state) queue_task(t, *task);
      ++reply.tasks_queued;
    } else if (task->state == TaskState::kDone && !event.missing.count(task->id())) {
      ++reply.tasks_reused;
      continue;
    } else if (underway(*task)) {
      ++reply.tasks_underway;
    } else {
      queue_again(t, *task);
      ++reply.tasks_queued;
    }
    if (task->cell) unfinished.insert(task->cell);
  }
  reply.cells_done = reply.cells - static_cast<int64_t>(unfinished.size());
  entry.said = reply.tasks_queued + reply.tasks_underway > 0 ? Said::kNothing : Said::kEnd;
  put_grid_state(t, entry, grid->text);
  t.effects.reply = reply;
}

}  // namespace remixer::coordinator
