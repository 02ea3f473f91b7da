// SPDX-License-Identifier: Apache-2.0
// Views of grids and their cells.
#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_map>

#include "base/clock.h"
#include "coordinator/views/estimate.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {
namespace {

constexpr std::array<TaskKind, 5> kKinds = {TaskKind::kPrepare, TaskKind::kLabel, TaskKind::kTrain,
                                            TaskKind::kEvaluate, TaskKind::kSaliency};

// Summary of a cell's tasks in one grid.
struct CellProgress {
  std::vector<const TaskEntry*> evaluations;
  Json reason;
};

std::string cell_state(const GridEntry::CellCount& count) {
  if (count.done == count.tasks) return "done";
  if (count.stuck > 0) return "failed";
  return count.running > 0 || count.done > 0 ? "running" : "waiting";
}

std::unordered_map<const CellEntry*, CellProgress> cell_progress(const GridEntry& grid) {
  std::unordered_map<const CellEntry*, CellProgress> progress;
  for (const TaskEntry* entry : grid.tasks) {
    if (!entry->cell) continue;
    CellProgress& cell = progress[entry->cell];
    if (stuck(entry->state) && cell.reason.is_null()) cell.reason = reason_json(*entry);
    if (entry->kind == TaskKind::kEvaluate) cell.evaluations.push_back(entry);
  }
  return progress;
}

Json cell_json(const Engine::View& view, const GridEntry& grid, size_t position,
               const CellProgress& progress) {
  const CellEntry& cell = *grid.cells[position];
  const auto found = grid.by_cell.find(&cell);
  const GridEntry::CellCount count =
      found == grid.by_cell.end() ? GridEntry::CellCount{} : found->second;
  Json figures = Json::array();
  for (const TaskEntry* task : progress.evaluations) {
    if (task->state != TaskState::kDone) continue;
    for (Json& figure : figures_json(view.store.figures(*task)))
      figures.push_back(std::move(figure));
  }
  return {{"position", position},
          {"cell_id", cell.id()},
          {"architecture", cell.architecture},
          {"spatial_prior", cell.spatial_prior},
          {"labeler", cell.labeler_name},
          {"train_set", cell.dataset_name},
          {"recipe", cell.recipe_name},
          {"seed", cell.seed},
          {"state", cell_state(count)},
          {"tasks", count.tasks},
          {"tasks_done", count.done},
          {"reason", progress.reason},
          {"figures", std::move(figures)}};
}

}  // namespace

Json grid_ids_json(const TaskEntry& entry) {
  Json ids = Json::array();
  for (const GridEntry* grid : entry.grids) ids.push_back(grid->id);
  return ids;
}

Json cell_id_json(const TaskEntry& entry) {
  return entry.cell ? Json(entry.cell->id()) : Json("");
}

Json figures_json(const std::vector<experiments::protocol::Figure>& figures) {
  Json list = Json::array();
  for (const auto& figure : figures) {
    list.push_back({{"weights", figure.weights},
                    {"eval_set", figure.eval_set},
                    {"metric", figure.metric},
                    {"value", figure.value},
                    {"n", figure.n}});
  }
  return list;
}

Json grid_summary(const Engine::View& view, const GridEntry& grid, const Estimate& estimate) {
  Json states = Json::object(), kinds = Json::object();
  int64_t open_tasks = 0;
  const auto total = static_cast<int64_t>(grid.tasks.size());
  for (size_t i = 0; i < kTaskStates; ++i) {
    const auto state = static_cast<TaskState>(i);
    states[std::string(to_string(state))] = grid.count(state);
    if (open(state)) open_tasks += grid.count(state);
  }
  for (const TaskKind kind : kKinds) {
    const auto& counts = grid.counts[static_cast<size_t>(kind)];
    const auto count = [&](TaskState state) { return counts[static_cast<size_t>(state)]; };
    kinds[std::string(experiments::to_string(kind))] = {
        {"total", std::accumulate(counts.begin(), counts.end(), int64_t{0})},
        {"done", count(TaskState::kDone)},
        {"running", count(TaskState::kRunning)},
        {"failed",
         count(TaskState::kFailed) + count(TaskState::kBlocked) + count(TaskState::kCancelled)}};
  }
  const GridOutlook look = outlook(grid, view.state, estimate, view.now);
  const char* state = grid.cancelled                          ? "cancelled"
                      : grid.count(TaskState::kDone) == total ? "done"
                      : open_tasks == 0                       ? "failed"
                      : grid.paused != Pause::kNone           ? "paused"
                                                              : "running";
  const double ended = std::max(grid.submitted_wall, grid.ended_wall);
  return {{"id", grid.id},
          {"name", grid.name},
          {"description", grid.description},
          {"submitted_at", iso_time(grid.submitted_wall)},
          {"state", state},
          {"settings", experiments::protocol::to_json(grid.settings)},
          {"cells", grid.cells.size()},
          {"cells_done", grid.cells_done},
          {"cells_failed", grid.cells_failed},
          {"tasks", total},
          {"states", std::move(states)},
          {"kinds", std::move(kinds)},
          {"fraction", look.fraction},
          {"seconds_left", look.seconds_left ? Json(*look.seconds_left) : Json(nullptr)},
          {"ended_at", open_tasks > 0 ? Json(nullptr) : Json(iso_time(ended))}};
}

Json grids_json(const Engine::View& view) {
  const Estimate estimate(view.state, view.now);
  Json grids = Json::array();
  for (auto grid = view.state.grids.rbegin(); grid != view.state.grids.rend(); ++grid) {
    grids.push_back(grid_summary(view, grid->second, estimate));
  }
  return {{"grids", std::move(grids)}};
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

Json grid_json(const Engine::View& view, const std::string& name, const Page& page) {
  const GridEntry& grid = view.state.grid(find_grid(view.state, name));
  Json json = grid_summary(view, grid, Estimate(view.state, view.now));
  auto progress = cell_progress(grid);
  Json cells = Json::array();
  const auto count = static_cast<int64_t>(grid.cells.size());
  const int64_t first = std::min(page.after, count);
  const int64_t end = first + std::min(page.limit, count - first);
  for (auto i = static_cast<size_t>(first); i < static_cast<size_t>(end); ++i) {
    cells.push_back(cell_json(view, grid, i, progress[grid.cells[i]]));
  }
  json["cell_list"] = std::move(cells);
  json["next"] = end < count ? Json(end) : Json(nullptr);
  return json;
}

}  // namespace remixer::coordinator
