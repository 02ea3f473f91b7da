// A grid is submitted: what is new or failed is queued, what is done or underway is shared.
#include <algorithm>
#include <unordered_set>

#include "coordinator/scheduler/handlers.h"

namespace remixer::coordinator {

using experiments::protocol::GridSubmitted;
using experiments::protocol::SubmitGrid;

namespace {

struct Ids {
  std::vector<std::string> cells, tasks;
};

// Everything that could be wrong with it, before anything is changed.
Ids check(const State& state, const SubmitGrid& grid) {
  if (grid.name.empty()) fail_input("a grid needs a name");
  Ids ids;
  std::unordered_set<std::string> cells, tasks;
  for (const Cell& cell : grid.cells) {
    ids.cells.push_back(cell.id());
    if (!cells.insert(ids.cells.back()).second) {
      fail_input("grid '{}' holds cell {} twice", grid.name, ids.cells.back());
    }
  }
  for (const Task& task : grid.tasks) {
    for (const std::string& dependency : task.dependencies) {
      if (tasks.count(dependency) || state.tasks.count(dependency)) continue;
      fail_input("task '{}' depends on {}, which is not among the tasks before it", task.title,
                 dependency);
    }
    if (!task.cell_id.empty() && !cells.count(task.cell_id)) {
      fail_input("task '{}' belongs to cell {}, which is not in the grid", task.title,
                 task.cell_id);
    }
    ids.tasks.push_back(task.id());
    if (!tasks.insert(ids.tasks.back()).second) {
      fail_input("grid '{}' holds task '{}' twice", grid.name, task.title);
    }
  }
  return ids;
}

// The same grid once more keeps its number.
GridEntry& entry_of(State& state, const std::string& key) {
  for (auto& [id, grid] : state.grids) {
    if (grid.key == key) return grid;
  }
  GridEntry& grid = state.grids[state.next_grid];
  grid.id = state.next_grid++;
  grid.key = key;
  return grid;
}

void put_grid(Transition& t, const SubmitGrid& submitted, const Ids& ids) {
  const Json identity = {{"name", submitted.name}, {"cells", ids.cells}, {"tasks", ids.tasks}};
  GridEntry& grid = entry_of(t.state, experiments::content_id(identity));
  grid.name = submitted.name;
  grid.description = submitted.description;
  grid.submitted_wall = t.now.wall;
  grid.cancelled = false;
  grid.cells = ids.cells;
  grid.tasks = ids.tasks;
  for (size_t i = 0; i < ids.cells.size(); ++i) {
    t.state.cells[ids.cells[i]] = submitted.cells[i];
    t.effects.writes.push_back(PutCell{submitted.cells[i], ids.cells[i]});
  }
  t.effects.reply = GridSubmitted{grid.id, static_cast<int64_t>(ids.cells.size()),
                                  0,       static_cast<int64_t>(ids.tasks.size()),
                                  0,       0,
                                  0};
}

void add_task(Transition& t, const std::string& id, const Task& task) {
  TaskEntry& entry = t.state.tasks[id];
  entry.task = task;
  entry.order = t.state.next_order++;
  for (const std::string& dependency : task.dependencies) {
    t.state.task(dependency).dependants.push_back(id);
  }
  t.effects.writes.push_back(PutTask{id, task});
  queue_task(t, id);
}

}  // namespace

void handle(Transition& t, const SubmitEvent& event) {
  const SubmitGrid& submitted = event.grid;
  const Ids ids = check(t.state, submitted);
  put_grid(t, submitted, ids);
  GridSubmitted& reply = std::get<GridSubmitted>(t.effects.reply);
  std::unordered_set<std::string> unfinished_cells;
  for (size_t i = 0; i < ids.tasks.size(); ++i) {
    const std::string& id = ids.tasks[i];
    const Task& task = submitted.tasks[i];
    const auto known = t.state.tasks.find(id);
    if (known == t.state.tasks.end()) {
      add_task(t, id, task);
      ++reply.tasks_queued;
    } else {
      if (known->second.task.title != task.title) {
        known->second.task.title = task.title;
        t.effects.writes.push_back(PutTask{id, known->second.task});
      }
      const TaskState state = known->second.state;
      if (state == TaskState::kDone && !event.missing.count(id)) {
        ++reply.tasks_reused;
        continue;
      }
      if (state == TaskState::kWaiting || state == TaskState::kReady ||
          state == TaskState::kRunning) {
        ++reply.tasks_underway;
      } else {
        queue_again(t, id);
        ++reply.tasks_queued;
      }
    }
    unfinished_cells.insert(task.cell_id);
  }
  reply.cells_done =
      std::count_if(ids.cells.begin(), ids.cells.end(),
                    [&](const std::string& cell) { return !unfinished_cells.count(cell); });
  // Last, so that what it refers to is stored before it.
  t.effects.writes.push_back(PutGrid{t.state.grids.at(reply.grid_id), submitted.text});
}

}  // namespace remixer::coordinator
