// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/database_reader.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <map>
#include <set>

#include "base/error.h"
#include "reports/read_database.h"

namespace remixer::coordinator::command {
namespace {

constexpr size_t kLatest = 20;

struct GridTask {
  int64_t grid;
  std::string task_id, kind, cell_id, title, state;
};

Json text_or_null(const SQLite::Column& column) {
  return column.isNull() ? Json(nullptr) : Json(column.getString());
}

std::vector<GridTask> read_grid_tasks(SQLite::Database& database) {
  SQLite::Statement rows(database,
                         "SELECT grid_id, task_id, kind, cell_id, title, state FROM grid_tasks "
                         "ORDER BY grid_id, position");
  std::vector<GridTask> tasks;
  while (rows.executeStep()) {
    tasks.push_back({rows.getColumn(0).getInt64(), rows.getColumn(1).getString(),
                     rows.getColumn(2).getString(),
                     rows.getColumn(3).isNull() ? "" : rows.getColumn(3).getString(),
                     rows.getColumn(4).getString(), rows.getColumn(5).getString()});
  }
  return tasks;
}

struct LastRun {
  int64_t attempt = 0;
  std::string state;
  Json worker, started_at, ended_at, reason;
};

std::map<std::string, LastRun> read_last_runs(SQLite::Database& database) {
  SQLite::Statement rows(database,
                         "SELECT task_id, attempt, state, worker, started_at, ended_at, reason "
                         "FROM runs ORDER BY task_id, attempt");
  std::map<std::string, LastRun> runs;
  while (rows.executeStep()) {
    runs[rows.getColumn(0).getString()] = {
        rows.getColumn(1).getInt64(),    rows.getColumn(2).getString(),
        text_or_null(rows.getColumn(3)), text_or_null(rows.getColumn(4)),
        text_or_null(rows.getColumn(5)), text_or_null(rows.getColumn(6))};
  }
  return runs;
}

bool ended_badly(const std::string& state) {
  return state == "failed" || state == "blocked" || state == "cancelled";
}

// Counts of one grid's tasks and cells.
Json grid_counts(const std::vector<GridTask>& tasks, int64_t grid) {
  Json states = Json::object(), kinds = Json::object();
  for (const char* state :
       {"waiting", "ready", "running", "done", "failed", "blocked", "cancelled"}) {
    states[state] = 0;
  }
  for (const char* kind : {"prepare", "label", "train", "evaluate", "saliency"}) {
    kinds[kind] = {{"total", 0}, {"done", 0}, {"running", 0}, {"failed", 0}};
  }
  const auto count = [](Json& json, const std::string& name) {
    json[name] = json.value(name, int64_t{0}) + 1;
  };
  std::set<std::string> failed, unfinished;
  int64_t total = 0;
  for (const GridTask& task : tasks) {
    if (task.grid != grid) continue;
    ++total;
    count(states, task.state);
    count(kinds[task.kind], "total");
    if (task.state == "done") count(kinds[task.kind], "done");
    if (task.state == "running") count(kinds[task.kind], "running");
    if (ended_badly(task.state)) count(kinds[task.kind], "failed");
    if (task.cell_id.empty()) continue;
    if (task.state != "done") unfinished.insert(task.cell_id);
    if (ended_badly(task.state)) failed.insert(task.cell_id);
  }
  return {{"tasks", total},
          {"states", states},
          {"kinds", kinds},
          {"cells_failed", failed.size()},
          {"cells_unfinished", unfinished.size()}};
}

std::string grid_state(const Json& states, int64_t tasks) {
  const auto number = [&](const char* name) { return states.at(name).get<int64_t>(); };
  if (number("done") == tasks) return "done";
  if (number("waiting") + number("ready") + number("running") > 0) return "running";
  return number("failed") > 0 ? "failed" : "cancelled";
}

Json grid_object(const std::vector<GridTask>& tasks, int64_t id, const std::string& name,
                 int64_t cells) {
  Json grid = grid_counts(tasks, id);
  grid["id"] = id;
  grid["name"] = name;
  grid["cells"] = cells;
  grid["cells_done"] = cells - grid["cells_unfinished"].get<int64_t>();
  grid.erase("cells_unfinished");
  grid["state"] = grid_state(grid["states"], grid["tasks"].get<int64_t>());
  grid["seconds_left"] = nullptr;
  return grid;
}

Json read_grids(SQLite::Database& database, const std::vector<GridTask>& tasks) {
  SQLite::Statement rows(database,
                         "SELECT grid_id, grid, count(*) FROM grid_cells GROUP BY grid_id, grid "
                         "ORDER BY grid_id DESC");
  Json grids = Json::array();
  while (rows.executeStep()) {
    grids.push_back(grid_object(tasks, rows.getColumn(0).getInt64(), rows.getColumn(1).getString(),
                                rows.getColumn(2).getInt64()));
  }
  return grids;
}

Json task_object(const GridTask& task, const std::map<std::string, LastRun>& runs) {
  Json object{{"task_id", task.task_id}, {"kind", task.kind},
              {"cell_id", task.cell_id}, {"title", task.title},
              {"state", task.state},     {"reason", nullptr},
              {"attempts", 0},           {"grids", Json::array({task.grid})},
              {"ended_at", nullptr},     {"worker", nullptr},
              {"started_at", nullptr}};
  const auto run = runs.find(task.task_id);
  if (run == runs.end()) return object;
  object["attempts"] = run->second.attempt;
  object["worker"] = run->second.worker;
  object["started_at"] = run->second.started_at;
  if (task.state == "failed") object["reason"] = run->second.reason;
  if (task.state == "done" || task.state == "failed") object["ended_at"] = run->second.ended_at;
  object["log"] = fmt::format("runs/{}/{}/log.txt", task.task_id, run->second.attempt);
  return object;
}

// Newest first.
Json latest(std::vector<Json> tasks) {
  std::stable_sort(tasks.begin(), tasks.end(), [](const Json& a, const Json& b) {
    return a["ended_at"].is_string() &&
           (!b["ended_at"].is_string() || a["ended_at"] > b["ended_at"]);
  });
  if (tasks.size() > kLatest) tasks.resize(kLatest);
  return tasks;
}

Json read_figures(SQLite::Database& database, const std::string& cell) {
  SQLite::Statement rows(database,
                         "SELECT weights, eval_set, metric, value, n FROM results "
                         "WHERE cell_id = ? ORDER BY eval_set, metric, weights DESC");
  rows.bind(1, cell);
  Json figures = Json::array();
  while (rows.executeStep()) {
    figures.push_back({{"weights", rows.getColumn(0).getString()},
                       {"eval_set", rows.getColumn(1).getString()},
                       {"metric", rows.getColumn(2).getString()},
                       {"value", rows.getColumn(3).getDouble()},
                       {"n", rows.getColumn(4).getInt64()}});
  }
  return figures;
}

// State of a cell from its tasks in one grid.
void add_cell_state(Json& cell, const std::vector<const GridTask*>& tasks,
                    const std::map<std::string, LastRun>& runs) {
  const auto total = static_cast<int64_t>(tasks.size());
  int64_t done = 0;
  bool running = false, failed = false;
  cell["reason"] = nullptr;
  for (const GridTask* task : tasks) {
    done += task->state == "done";
    running |= task->state == "running";
    failed |= ended_badly(task->state);
    if (task->state == "failed" && cell["reason"].is_null()) {
      cell["reason"] = task_object(*task, runs)["reason"];
    }
  }
  cell["tasks"] = total;
  cell["tasks_done"] = done;
  cell["state"] = done == total ? "done" : running ? "running" : failed ? "failed" : "waiting";
}

}  // namespace

DatabaseReader::DatabaseReader(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) {
    fail_input("{} does not exist: nothing was run in this workspace yet (`remixer run GRID`)",
               file.string());
  }
  try {
    database_ = reports::open_for_reading(file);
    SQLite::Statement(*database_, "SELECT 1 FROM grid_tasks LIMIT 1").executeStep();
  } catch (const SQLite::Exception& error) {
    fail_input("{} cannot be read as a database of experiments: {}", file.string(), error.what());
  }
}

DatabaseReader::~DatabaseReader() = default;

Json DatabaseReader::status() {
  const SQLite::Transaction one_view(*database_);
  const auto tasks = read_grid_tasks(*database_);
  const auto runs = read_last_runs(*database_);
  std::set<std::string> seen;
  std::vector<Json> failures, finished;
  Json running = Json::array();
  for (const GridTask& task : tasks) {
    if (!seen.insert(task.task_id).second) continue;
    if (task.state == "failed") failures.push_back(task_object(task, runs));
    if (task.state == "done") finished.push_back(task_object(task, runs));
    if (task.state == "running") running.push_back(task_object(task, runs));
  }
  return {{"grids", read_grids(*database_, tasks)},
          {"running", running},
          {"failures", latest(std::move(failures))},
          {"finished", latest(std::move(finished))},
          {"workers", Json::array()}};
}

Json DatabaseReader::tasks() {
  const SQLite::Transaction one_view(*database_);
  const auto runs = read_last_runs(*database_);
  std::map<std::string, size_t> places;
  Json list = Json::array();
  for (const GridTask& task : read_grid_tasks(*database_)) {
    const auto [place, added] = places.emplace(task.task_id, list.size());
    if (added) {
      list.push_back(task_object(task, runs));
    } else {
      list[place->second]["grids"].push_back(task.grid);
    }
  }
  return {{"tasks", list}};
}

Json DatabaseReader::grid(int64_t id) {
  const SQLite::Transaction one_view(*database_);
  const auto tasks = read_grid_tasks(*database_);
  Json found = nullptr;
  for (const Json& grid : read_grids(*database_, tasks)) {
    if (grid["id"] == id) found = grid;
  }
  if (found.is_null()) return found;
  const auto runs = read_last_runs(*database_);
  std::map<std::string, std::vector<const GridTask*>> by_cell;
  for (const GridTask& task : tasks) {
    if (task.grid == id) by_cell[task.cell_id].push_back(&task);
  }
  SQLite::Statement rows(
      *database_,
      "SELECT g.position, c.cell_id, c.architecture, c.spatial_prior, c.labeler, "
      "c.train_set, c.recipe, c.seed FROM grid_cells g JOIN cells c "
      "ON c.cell_id = g.cell_id WHERE g.grid_id = ? ORDER BY g.position");
  rows.bind(1, id);
  found["cell_list"] = Json::array();
  while (rows.executeStep()) {
    Json cell{{"position", rows.getColumn(0).getInt64()}, {"seed", rows.getColumn(7).getInt64()}};
    int column = 1;
    for (const char* name :
         {"cell_id", "architecture", "spatial_prior", "labeler", "train_set", "recipe"}) {
      cell[name] = rows.getColumn(column++).getString();
    }
    add_cell_state(cell, by_cell[cell["cell_id"]], runs);
    cell["figures"] = read_figures(*database_, cell["cell_id"]);
    found["cell_list"].push_back(std::move(cell));
  }
  return found;
}

}  // namespace remixer::coordinator::command
