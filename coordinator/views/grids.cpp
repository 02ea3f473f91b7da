// Grids and their cells.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "coordinator/views/estimate.h"
#include "coordinator/views/views.h"
#include "core/base/clock.h"

namespace remixer::coordinator {
namespace {

constexpr std::array<TaskKind, 4> kKinds = {TaskKind::kPrepare, TaskKind::kLabel, TaskKind::kTrain,
                                            TaskKind::kEvaluate};

bool stuck(TaskState state) {
  return state == TaskState::kFailed || state == TaskState::kBlocked ||
         state == TaskState::kCancelled;
}

// What a cell's tasks in one grid add up to.
struct CellProgress {
  int64_t tasks = 0, done = 0, running = 0, stuck = 0;
  std::vector<std::string> evaluations;
  Json reason;

  std::string state() const {
    if (done == tasks) return "done";
    if (stuck > 0) return "failed";
    return running > 0 || done > 0 ? "running" : "waiting";
  }
};

std::unordered_map<std::string, CellProgress> cell_progress(const State& state,
                                                            const GridEntry& grid) {
  std::unordered_map<std::string, CellProgress> progress;
  for (const std::string& id : grid.tasks) {
    const TaskEntry& entry = state.task(id);
    if (entry.task.cell_id.empty()) continue;
    CellProgress& cell = progress[entry.task.cell_id];
    ++cell.tasks;
    cell.done += entry.state == TaskState::kDone;
    cell.running += entry.state == TaskState::kRunning;
    cell.stuck += stuck(entry.state);
    if (stuck(entry.state) && cell.reason.is_null()) cell.reason = reason_json(state, entry);
    if (entry.task.kind == TaskKind::kEvaluate) cell.evaluations.push_back(id);
  }
  return progress;
}

Json cell_json(const Engine::View& view, const std::string& id, size_t position,
               const CellProgress& progress) {
  const Cell& cell = view.state.cells.at(id);
  Json figures = Json::array();
  for (const std::string& task : progress.evaluations) {
    for (Json& figure : figures_json(view.store.figures(task)))
      figures.push_back(std::move(figure));
  }
  return {{"position", position},
          {"cell_id", id},
          {"architecture", cell.architecture},
          {"spatial_prior", cell.spatial_prior},
          {"labeler", cell.labeler_name},
          {"train_set", cell.dataset_name},
          {"recipe", cell.recipe_name},
          {"seed", cell.seed},
          {"state", progress.state()},
          {"tasks", progress.tasks},
          {"tasks_done", progress.done},
          {"reason", progress.reason},
          {"figures", std::move(figures)}};
}

}  // namespace

GridsOfTasks grids_of_tasks(const State& state) {
  GridsOfTasks grids;
  for (const auto& [id, grid] : state.grids) {
    for (const std::string& task : grid.tasks) grids[task].push_back(id);
  }
  return grids;
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
  for (int i = 0; i <= static_cast<int>(TaskState::kCancelled); ++i) {
    states[std::string(to_string(static_cast<TaskState>(i)))] = 0;
  }
  for (const TaskKind kind : kKinds) {
    kinds[std::string(experiments::to_string(kind))] = {
        {"total", 0}, {"done", 0}, {"running", 0}, {"failed", 0}};
  }
  const auto add = [](Json& count) { count = count.get<int64_t>() + 1; };
  bool open = false, all_done = true;
  double ended = grid.submitted_wall;
  for (const std::string& id : grid.tasks) {
    const TaskEntry& entry = view.state.task(id);
    add(states[std::string(to_string(entry.state))]);
    Json& kind = kinds[std::string(experiments::to_string(entry.task.kind))];
    add(kind["total"]);
    if (entry.state == TaskState::kDone) add(kind["done"]);
    if (entry.state == TaskState::kRunning) add(kind["running"]);
    if (stuck(entry.state)) add(kind["failed"]);
    all_done = all_done && entry.state == TaskState::kDone;
    open = open || !(entry.state == TaskState::kDone || stuck(entry.state));
    ended = std::max(ended, entry.done_wall);
  }
  int64_t cells_done = 0, cells_failed = 0;
  for (const auto& [id, cell] : cell_progress(view.state, grid)) {
    cells_done += cell.done == cell.tasks;
    cells_failed += cell.stuck > 0;
  }
  const GridOutlook look = outlook(grid, view.state, estimate, view.now);
  const char* state = grid.cancelled ? "cancelled"
                      : all_done     ? "done"
                      : open         ? "running"
                                     : "failed";
  return {{"id", grid.id},
          {"name", grid.name},
          {"description", grid.description},
          {"submitted_at", iso_time(grid.submitted_wall)},
          {"state", state},
          {"cells", grid.cells.size()},
          {"cells_done", cells_done},
          {"cells_failed", cells_failed},
          {"tasks", grid.tasks.size()},
          {"states", std::move(states)},
          {"kinds", std::move(kinds)},
          {"fraction", look.fraction},
          {"seconds_left", look.seconds_left ? Json(*look.seconds_left) : Json(nullptr)},
          {"ended_at", open ? Json(nullptr) : Json(iso_time(ended))}};
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

Json grid_json(const Engine::View& view, const std::string& name) {
  const GridEntry& grid = view.state.grid(find_grid(view.state, name));
  Json json = grid_summary(view, grid, Estimate(view.state, view.now));
  auto progress = cell_progress(view.state, grid);
  Json cells = Json::array();
  for (size_t i = 0; i < grid.cells.size(); ++i) {
    cells.push_back(cell_json(view, grid.cells[i], i, progress[grid.cells[i]]));
  }
  json["cell_list"] = std::move(cells);
  return json;
}

}  // namespace remixer::coordinator
