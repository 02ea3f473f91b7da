// SPDX-License-Identifier: Apache-2.0
// Views of grids and their cells.
#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "base/clock.h"
#include "coordinator/views/cell_state.h"
#include "coordinator/views/estimate.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {
namespace {

constexpr std::array<TaskKind, 5> kKinds = {TaskKind::kPrepare, TaskKind::kLabel, TaskKind::kTrain,
                                            TaskKind::kEvaluate, TaskKind::kSaliency};

// Summary of a cell's tasks in one grid.
struct CellProgress {
  std::vector<const TaskEntry*> evaluations;
  std::optional<std::string> reason;
};

std::unordered_map<const CellEntry*, CellProgress> cell_progress(const GridEntry& grid) {
  std::unordered_map<const CellEntry*, CellProgress> progress;
  for (const TaskEntry* entry : grid.tasks) {
    if (!entry->cell) continue;
    CellProgress& cell = progress[entry->cell];
    if (stuck(entry->state) && !cell.reason) cell.reason = reason_of(*entry);
    if (entry->kind == TaskKind::kEvaluate) cell.evaluations.push_back(entry);
  }
  return progress;
}

answers::Cell cell_view(const Engine::View& view, const GridEntry& grid, size_t position,
                        const CellProgress& progress) {
  const CellEntry& cell = *grid.cells[position];
  const auto found = grid.by_cell.find(&cell);
  const GridEntry::CellCount count =
      found == grid.by_cell.end() ? GridEntry::CellCount{} : found->second;
  answers::Cell shown{
      .position = static_cast<int64_t>(position),
      .cell_id = cell.id(),
      .architecture = cell.architecture,
      .spatial_prior = cell.spatial_prior,
      .labeler = cell.labeler_name,
      .train_set = cell.dataset_name,
      .recipe = cell.recipe_name,
      .seed = cell.seed,
      .state = to_string(cell_state(count.tasks, count.done, count.running, count.stuck)),
      .tasks = count.tasks,
      .tasks_done = count.done,
      .reason = progress.reason,
      .figures = {}};
  for (const TaskEntry* task : progress.evaluations) {
    if (task->state != TaskState::kDone) continue;
    for (auto& figure : view.store.figures(*task)) shown.figures.push_back(std::move(figure));
  }
  return shown;
}

}  // namespace

Part part_of(const Page& page, size_t count) {
  const auto all = static_cast<int64_t>(count);
  const int64_t first = std::min(page.after, all);
  const int64_t end = first + std::min(page.limit, all - first);
  return {static_cast<size_t>(first), static_cast<size_t>(end),
          end < all ? std::optional(end) : std::nullopt};
}

std::vector<int64_t> grid_ids(const TaskEntry& entry) {
  std::vector<int64_t> ids;
  for (const GridEntry* grid : entry.grids) ids.push_back(grid->id);
  return ids;
}

std::string cell_id_of(const TaskEntry& entry) {
  return entry.cell ? entry.cell->id() : "";
}

answers::Grid grid_summary(const Engine::View& view, const GridEntry& grid,
                           const Estimate& estimate) {
  answers::Grid summary;
  summary.id = grid.id;
  summary.name = grid.name;
  summary.description = grid.description;
  int64_t open_tasks = 0;
  for (size_t i = 0; i < kTaskStates; ++i) {
    const auto state = static_cast<TaskState>(i);
    if (open(state)) open_tasks += grid.count(state);
  }
  summary.states = {.waiting = grid.count(TaskState::kWaiting),
                    .ready = grid.count(TaskState::kReady),
                    .running = grid.count(TaskState::kRunning),
                    .done = grid.count(TaskState::kDone),
                    .failed = grid.count(TaskState::kFailed),
                    .blocked = grid.count(TaskState::kBlocked),
                    .cancelled = grid.count(TaskState::kCancelled)};
  for (const TaskKind kind : kKinds) {
    const auto& counts = grid.counts[static_cast<size_t>(kind)];
    const auto count = [&](TaskState state) { return counts[static_cast<size_t>(state)]; };
    summary.kinds[std::string(experiments::to_string(kind))] = {
        .total = std::accumulate(counts.begin(), counts.end(), int64_t{0}),
        .done = count(TaskState::kDone),
        .running = count(TaskState::kRunning),
        .failed =
            count(TaskState::kFailed) + count(TaskState::kBlocked) + count(TaskState::kCancelled)};
  }
  summary.submitted_at = iso_time(grid.submitted_wall);
  summary.tasks = static_cast<int64_t>(grid.tasks.size());
  summary.state = grid.cancelled                         ? "cancelled"
                  : summary.states.done == summary.tasks ? "done"
                  : open_tasks == 0                      ? "failed"
                  : grid.paused != Pause::kNone          ? "paused"
                                                         : "running";
  summary.settings = grid.settings;
  summary.cells = static_cast<int64_t>(grid.cells.size());
  summary.cells_done = grid.cells_done;
  summary.cells_failed = grid.cells_failed;
  const GridOutlook look = outlook(grid, view.state, estimate, view.now);
  summary.fraction = look.fraction;
  summary.seconds_left = look.seconds_left;
  if (open_tasks == 0) {
    summary.ended_at = iso_time(std::max(grid.submitted_wall, grid.ended_wall));
  }
  return summary;
}

answers::GridList grids_view(const Engine::View& view) {
  const Estimate estimate(view.state, view.now);
  answers::GridList list;
  for (auto grid = view.state.grids.rbegin(); grid != view.state.grids.rend(); ++grid) {
    list.grids.push_back(grid_summary(view, grid->second, estimate));
  }
  return list;
}

int64_t find_grid(const State& state, const std::string& name) {
  const bool number =
      !name.empty() && name.size() < 18 &&
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (number) return state.grid(std::stoll(name)).id;
  int64_t found = 0;
  for (const auto& [id, grid] : state.grids) {
    if (grid.name == name) found = id;
  }
  if (found == 0) throw NotFound(fmt::format("no grid named '{}'", name));
  return found;
}

answers::GridDetail grid_view(const Engine::View& view, const std::string& name, const Page& page) {
  const GridEntry& grid = view.state.grid(find_grid(view.state, name));
  answers::GridDetail detail{grid_summary(view, grid, Estimate(view.state, view.now)), {}, {}};
  auto progress = cell_progress(grid);
  const Part part = part_of(page, grid.cells.size());
  for (size_t i = part.first; i < part.end; ++i) {
    detail.cell_list.push_back(cell_view(view, grid, i, progress[grid.cells[i]]));
  }
  detail.next = part.next;
  return detail;
}

}  // namespace remixer::coordinator
