// SPDX-License-Identifier: Apache-2.0
// Reads the scheduler's state after a restart, and the daemon's queries while it runs.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "coordinator/scheduler/prepared_grid.h"
#include "coordinator/scheduler/state_builder.h"
#include "coordinator/store/connection.h"
#include "experiments/outlook/stated_seconds.h"

namespace remixer::coordinator {

using experiments::protocol::Assignment;
using experiments::protocol::Figure;
using experiments::protocol::TaskInput;

namespace {

Attempt attempt_of(SQLite::Statement& row, int first) {
  Attempt attempt;
  attempt.fence = row.getColumn(first).getInt64();
  attempt.number = row.getColumn(first + 1).getInt64();
  attempt.worker_id = row.getColumn(first + 2).getString();
  attempt.state = attempt_state_from_string(row.getColumn(first + 3).getString());
  attempt.started_wall = row.getColumn(first + 4).getDouble();
  attempt.ended_wall = row.getColumn(first + 5).getDouble();
  attempt.reason = row.getColumn(first + 6).getString();
  attempt.step = row.getColumn(first + 7).getInt64();
  attempt.total_steps = row.getColumn(first + 8).getInt64();
  attempt.activity = row.getColumn(first + 9).getString();
  return attempt;
}

constexpr const char* kAttemptColumns =
    "a.fence, a.number, a.worker_id, a.state, a.started, ifnull(a.ended, 0.0), a.reason, a.step,"
    " a.total_steps, a.activity";

}  // namespace

struct Store::Loader {
  SQLite::Database& database;
  StateBuilder builder;

  State load() {
    cells();
    tasks();
    workers();
    attempts();
    grids();
    return builder.finish(number("SELECT ifnull(max(fence), 0) FROM attempt"),
                          number("SELECT ifnull(max(value), 0) FROM counter WHERE name = 'notice'"),
                          number("SELECT ifnull(max(value), 0) FROM counter WHERE name = 'grid'"));
  }

  int64_t number(const char* sql) { return database.execAndGet(sql).getInt64(); }

  void cells() {
    SQLite::Statement row(database,
                          "SELECT number, id, architecture, spatial_prior, labeler, train_set,"
                          " recipe, seed, precision,"
                          " ifnull(json_extract(identity, '$.recipe.shards'), 0)"
                          " FROM cell ORDER BY number");
    while (row.executeStep()) {
      builder.add_cell({row.getColumn(0).getInt64(), row.getColumn(1).getString(),
                        row.getColumn(2).getString(), row.getColumn(3).getString(),
                        row.getColumn(4).getString(), row.getColumn(5).getString(),
                        row.getColumn(6).getString(), row.getColumn(7).getInt64(),
                        row.getColumn(8).getString(), row.getColumn(9).getInt64()});
    }
  }

  void tasks() {
    SQLite::Statement row(database,
                          "SELECT number, id, kind, ifnull(cell, 0), title, state, place, attempts,"
                          " fence, failures, crashes, alone, reason, seconds, ifnull(settled, 0.0),"
                          " CASE WHEN cell IS NULL THEN spec END, given_up"
                          " FROM task ORDER BY number");
    while (row.executeStep()) {
      StateBuilder::StoredTask task;
      task.number = row.getColumn(0).getInt64();
      task.id = row.getColumn(1).getString();
      task.kind = experiments::task_kind_from_string(row.getColumn(2).getString());
      task.cell = row.getColumn(3).getInt64();
      task.title = row.getColumn(4).getString();
      task.state = task_state_from_string(row.getColumn(5).getString());
      task.order = row.getColumn(6).getInt64();
      task.attempts = row.getColumn(7).getInt64();
      task.fence = row.getColumn(8).getInt64();
      task.failures = row.getColumn(9).getInt64();
      task.crashes = row.getColumn(10).getInt64();
      task.alone = row.getColumn(11).getInt64();
      task.reason = row.getColumn(12).getString();
      task.seconds = row.getColumn(13).getDouble();
      task.done_wall = row.getColumn(14).getDouble();
      if (!row.getColumn(15).isNull()) {
        const Json spec = Json::parse(row.getColumn(15).getString());
        task.similar = similar_text(spec);
        task.weights = weights_file(spec);
      }
      task.given_up = row.getColumn(16).getInt64();
      builder.add_task(task);
    }
    SQLite::Statement edge(database,
                           "SELECT task, depends_on FROM dependency ORDER BY task, position");
    while (edge.executeStep()) {
      builder.add_dependency(edge.getColumn(0).getInt64(), edge.getColumn(1).getInt64());
    }
  }

  void workers() {
    SQLite::Statement row(
        database,
        "SELECT id, name, host, pid, ranks, device, boot_id, version, environment, gpus, ends_at,"
        " gone, pid_namespace, started FROM worker");
    while (row.executeStep()) {
      Worker worker;
      worker.id = row.getColumn(0).getString();
      worker.about.name = row.getColumn(1).getString();
      worker.about.host = row.getColumn(2).getString();
      worker.about.pid = row.getColumn(3).getInt64();
      worker.about.ranks = row.getColumn(4).getInt64();
      worker.about.device = row.getColumn(5).getString();
      worker.about.boot_id = row.getColumn(6).getString();
      worker.about.version = row.getColumn(7).getString();
      worker.about.environment = Json::parse(row.getColumn(8).getString());
      worker.about.gpus = row.getColumn(9).getInt64();
      worker.about.ends_at = row.getColumn(10).getDouble();
      worker.gone = row.getColumn(11).getInt() != 0;
      worker.about.pid_namespace = row.getColumn(12).getString();
      worker.about.started = row.getColumn(13).getInt64();
      builder.add_worker(std::move(worker));
    }
  }

  void attempts() {
    SQLite::Statement row(database,
                          fmt::format("SELECT t.number, a.reported, {} FROM task t JOIN attempt a"
                                      " ON a.fence = t.fence WHERE t.state <> 'done'",
                                      kAttemptColumns));
    while (row.executeStep()) {
      builder.add_attempt(row.getColumn(0).getInt64(), attempt_of(row, 2),
                          row.getColumn(1).getInt() != 0);
    }
  }

  void grids() {
    SQLite::Statement row(database,
                          "SELECT id, name, description, key, submitted, cancelled, paused, said,"
                          " priority, max_running, ranks, gpus FROM grid ORDER BY id");
    while (row.executeStep()) {
      GridEntry grid;
      grid.id = row.getColumn(0).getInt64();
      grid.name = row.getColumn(1).getString();
      grid.description = row.getColumn(2).getString();
      grid.key = row.getColumn(3).getString();
      grid.submitted_wall = row.getColumn(4).getDouble();
      grid.cancelled = row.getColumn(5).getInt() != 0;
      grid.paused = static_cast<Pause>(row.getColumn(6).getInt());
      grid.said = static_cast<Said>(row.getColumn(7).getInt());
      grid.settings = {row.getColumn(8).getInt64(), row.getColumn(9).getInt64(),
                       row.getColumn(10).getInt64(), row.getColumn(11).getInt64()};
      builder.add_grid(std::move(grid));
    }
    SQLite::Statement cell(database,
                           "SELECT grid_id, cell FROM grid_cell ORDER BY grid_id, position");
    while (cell.executeStep()) {
      builder.add_cell_member(cell.getColumn(0).getInt64(), cell.getColumn(1).getInt64());
    }
    SQLite::Statement task(database,
                           "SELECT grid_id, task FROM grid_task ORDER BY grid_id, position");
    while (task.executeStep()) {
      builder.add_member(task.getColumn(0).getInt64(), task.getColumn(1).getInt64());
    }
  }
};

namespace {

// As after submitting: the first task of those with the same `similar` sets their cost.
void state_costs(const Store& store, State& state) {
  std::map<Name, const TaskEntry*> first;
  for (const auto& [id, entry] : state.tasks) {
    const TaskEntry*& known = first[entry.similar];
    if (!known || entry.number < known->number) known = &entry;
  }
  for (const auto& [similar, entry] : first) {
    const double cost = experiments::stated_seconds(entry->kind, store.spec(*entry));
    if (cost > 0) state.costs.try_emplace(similar, Mean{cost, 1});
  }
}

}  // namespace

State Store::load(const Now& now, const Settings& settings) const {
  try {
    State state = Loader{connection_->database, StateBuilder(now, settings)}.load();
    state_costs(*this, state);
    return state;
  } catch (const SQLite::Exception& error) {
    rethrow(error, "cannot read the database");
  }
}

namespace {

// A task's own spec and result; the cell's part of the spec is stored with the cell.
constexpr const char* kReadTask = "SELECT spec, ifnull(result, 'null') FROM task WHERE id = ?";

AssignmentTexts::Task read_task(SQLite::Statement& row) {
  if (!row.executeStep()) fail("a task that was given out is not in the database");
  return {row.getColumn(0).getString(), row.getColumn(1).getString()};
}

}  // namespace

void AssignmentTexts::complete(Assignment& assignment) const {
  assignment.task.spec = Json::parse(task.spec);
  for (size_t i = 0; i < inputs.size(); ++i) {
    assignment.inputs[i].spec = Json::parse(inputs[i].spec);
    assignment.inputs[i].result = Json::parse(inputs[i].result);
  }
  if (identity.empty()) return;
  Json cell = {
      {"labeler_name", labeler_name}, {"dataset_name", dataset_name}, {"recipe_name", recipe_name}};
  cell["identity"] = Json::parse(identity);
  assignment.cell = experiments::cell_from_json(cell);
}

AssignmentTexts Store::texts(const Assignment& assignment) const {
  try {
    AssignmentTexts texts;
    const auto read = [&](const std::string& id) {
      SQLite::Statement& row = connection_->prepared(kReadTask);
      row.bind(1, id);
      AssignmentTexts::Task task = read_task(row);
      row.reset();
      return task;
    };
    texts.task = read(assignment.task_id);
    for (const TaskInput& input : assignment.inputs) texts.inputs.push_back(read(input.task_id));
    if (assignment.task.cell_id.empty()) return texts;
    SQLite::Statement& row =
        connection_->prepared("SELECT identity, labeler, train_set, recipe FROM cell WHERE id = ?");
    row.bind(1, assignment.task.cell_id);
    if (!row.executeStep()) fail("cell {} is not in the database", assignment.task.cell_id);
    texts.identity = row.getColumn(0).getString();
    texts.labeler_name = row.getColumn(1).getString();
    texts.dataset_name = row.getColumn(2).getString();
    texts.recipe_name = row.getColumn(3).getString();
    row.reset();
    return texts;
  } catch (const SQLite::Exception& error) {
    rethrow(error, "cannot read the database");
  }
}

Json Store::spec(const TaskEntry& task) const {
  SQLite::Statement& row = connection_->prepared(
      "SELECT t.spec, c.identity FROM task t LEFT JOIN cell c ON c.number = t.cell"
      " WHERE t.number = ?");
  row.bind(1, task.number);
  if (!row.executeStep()) fail("task {} is not in the database", task.id());
  Json spec = Json::parse(row.getColumn(0).getString());
  if (!row.getColumn(1).isNull()) spec["cell"] = Json::parse(row.getColumn(1).getString());
  row.reset();
  return spec;
}

Json Store::result(const TaskEntry& task) const {
  SQLite::Statement& row =
      connection_->prepared("SELECT ifnull(result, 'null') FROM task WHERE number = ?");
  row.bind(1, task.number);
  Json result;
  if (row.executeStep()) result = Json::parse(row.getColumn(0).getString());
  row.reset();
  return result;
}

std::vector<StoredAttempt> Store::attempts(const TaskEntry& task) const {
  static const std::string sql = fmt::format(
      "SELECT w.name, {} FROM attempt a JOIN worker w ON w.id = a.worker_id"
      " WHERE a.task = ? ORDER BY a.number",
      kAttemptColumns);
  std::vector<StoredAttempt> attempts;
  SQLite::Statement& row = connection_->prepared(sql.c_str());
  row.bind(1, task.number);
  while (row.executeStep()) {
    attempts.push_back({attempt_of(row, 1), row.getColumn(0).getString()});
  }
  row.reset();
  return attempts;
}

std::vector<Figure> Store::figures(const TaskEntry& task) const {
  std::vector<Figure> figures;
  SQLite::Statement& row = connection_->prepared(
      "SELECT weights, eval_set, metric, value, n FROM figure WHERE task = ?");
  row.bind(1, task.number);
  while (row.executeStep()) {
    figures.push_back({row.getColumn(0).getString(), row.getColumn(1).getString(),
                       row.getColumn(2).getString(), row.getColumn(3).getDouble(),
                       row.getColumn(4).getInt64()});
  }
  row.reset();
  return figures;
}

std::string Store::workspace_id() const {
  SQLite::Statement& row =
      connection_->prepared("SELECT value FROM about WHERE name = 'workspace'");
  const std::string id = row.executeStep() ? row.getColumn(0).getString() : "";
  row.reset();
  return id;
}

void Store::set_workspace_id(const std::string& id) {
  try {
    connection_->run("INSERT OR REPLACE INTO about (name, value) VALUES ('workspace', ?)", id);
  } catch (const SQLite::Exception& error) {
    rethrow(error, "cannot write the database");
  }
}

std::vector<PutNotice> Store::notices() const {
  std::vector<PutNotice> notices;
  SQLite::Statement& row =
      connection_->prepared("SELECT id, event, grid_id, body, made FROM notice ORDER BY id");
  while (row.executeStep()) {
    notices.push_back({row.getColumn(0).getInt64(), row.getColumn(1).getString(),
                       row.getColumn(2).getInt64(), row.getColumn(3).getString(),
                       row.getColumn(4).getDouble()});
  }
  row.reset();
  return notices;
}

}  // namespace remixer::coordinator
