// Reading: the scheduler's state after a restart, and what queries ask for.
#include <algorithm>

#include "coordinator/store/connection.h"
#include "core/base/error.h"

namespace remixer::coordinator {

using experiments::protocol::Figure;

struct Store::Loader {
  SQLite::Database& database;
  const Now& now;
  const Settings& settings;
  State state;

  void load() {
    cells();
    tasks();
    workers();
    attempts();
    grids();
    // What waits and what is blocked was stored; the index of what is ready was not.
    for (const auto& [id, entry] : state.tasks) {
      if (entry.state == TaskState::kReady) state.ready.insert({entry.order, id});
    }
  }

  void cells() {
    SQLite::Statement row(database, "SELECT id, record FROM cell");
    while (row.executeStep()) {
      state.cells.emplace(row.getColumn(0).getString(),
                          experiments::cell_from_json(Json::parse(row.getColumn(1).getString())));
    }
  }

  void tasks() {
    SQLite::Statement row(
        database,
        "SELECT id, kind, ifnull(cell_id, ''), title, spec, state, place, attempts,"
        " failures, crashes, reason, ifnull(result, 'null'), seconds,"
        " ifnull(settled, 0.0) FROM task");
    while (row.executeStep()) {
      TaskEntry entry;
      entry.task.kind = experiments::task_kind_from_string(row.getColumn(1).getString());
      entry.task.cell_id = row.getColumn(2).getString();
      entry.task.title = row.getColumn(3).getString();
      entry.task.spec = Json::parse(row.getColumn(4).getString());
      entry.state = task_state_from_string(row.getColumn(5).getString());
      entry.order = row.getColumn(6).getInt64();
      entry.attempts = row.getColumn(7).getInt64();
      entry.failures = row.getColumn(8).getInt64();
      entry.crashes = row.getColumn(9).getInt64();
      entry.reason = row.getColumn(10).getString();
      entry.result = Json::parse(row.getColumn(11).getString());
      entry.seconds = row.getColumn(12).getDouble();
      entry.done_wall = row.getColumn(13).getDouble();
      state.next_order = std::max(state.next_order, entry.order + 1);
      state.tasks.emplace(row.getColumn(0).getString(), std::move(entry));
    }
    SQLite::Statement edge(database,
                           "SELECT task_id, depends_on FROM dependency ORDER BY task_id, position");
    while (edge.executeStep()) {
      const std::string id = edge.getColumn(0).getString();
      const std::string other = edge.getColumn(1).getString();
      state.task(id).task.dependencies.push_back(other);
      state.task(other).dependants.push_back(id);
    }
  }

  void workers() {
    SQLite::Statement row(
        database,
        "SELECT id, name, host, pid, ranks, device, boot_id, version, environment,"
        " gone FROM worker");
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
      worker.gone = row.getColumn(9).getInt() != 0;
      worker.seen = now.monotonic;
      state.next_worker =
          std::max(state.next_worker, static_cast<int64_t>(1 + std::stoll(worker.id.substr(1))));
      state.workers.emplace(worker.id, std::move(worker));
    }
  }

  void attempts() {
    SQLite::Statement row(database, attempts_sql("WHERE a.number = t.attempts").c_str());
    while (row.executeStep()) {
      const auto [task_id, attempt] = newest(row);
      TaskEntry& entry = state.task(task_id);
      entry.newest = attempt;
      if (attempt.held_until > 0) state.held.insert(task_id);
    }
    state.next_fence =
        1 + database.execAndGet("SELECT ifnull(max(fence), 0) FROM attempt").getInt64();
  }

  static std::string attempts_sql(const std::string& where) {
    return "SELECT a.task_id, a.fence, a.number, a.worker_id, a.state, a.started,"
           " ifnull(a.ended, 0.0), a.reason, a.step, a.total_steps, a.activity, a.reported,"
           " w.name FROM attempt a JOIN task t ON t.id = a.task_id JOIN worker w"
           " ON w.id = a.worker_id " +
           where;
  }

  static Attempt attempt_of(SQLite::Statement& row) {
    Attempt attempt;
    attempt.fence = row.getColumn(1).getInt64();
    attempt.number = row.getColumn(2).getInt64();
    attempt.worker_id = row.getColumn(3).getString();
    attempt.state = attempt_state_from_string(row.getColumn(4).getString());
    attempt.started_wall = row.getColumn(5).getDouble();
    attempt.ended_wall = row.getColumn(6).getDouble();
    attempt.reason = row.getColumn(7).getString();
    attempt.step = row.getColumn(8).getInt64();
    attempt.total_steps = row.getColumn(9).getInt64();
    attempt.activity = row.getColumn(10).getString();
    return attempt;
  }

  std::pair<std::string, Attempt> newest(SQLite::Statement& row) {
    Attempt attempt = attempt_of(row);
    attempt.inherited = true;
    attempt.started = now.monotonic - std::max(0.0, now.wall - attempt.started_wall);
    attempt.progress_at = attempt.heard_at = now.monotonic;
    if (!row.getColumn(11).getInt()) attempt.held_until = now.monotonic + settings.lease_seconds;
    return {row.getColumn(0).getString(), attempt};
  }

  void grids() {
    SQLite::Statement row(
        database, "SELECT id, name, description, key, submitted, cancelled FROM grid ORDER BY id");
    while (row.executeStep()) {
      GridEntry grid;
      grid.id = row.getColumn(0).getInt64();
      grid.name = row.getColumn(1).getString();
      grid.description = row.getColumn(2).getString();
      grid.key = row.getColumn(3).getString();
      grid.submitted_wall = row.getColumn(4).getDouble();
      grid.cancelled = row.getColumn(5).getInt() != 0;
      state.next_grid = std::max(state.next_grid, grid.id + 1);
      state.grids.emplace(grid.id, std::move(grid));
    }
    members("SELECT grid_id, cell_id FROM grid_cell ORDER BY grid_id, position", &GridEntry::cells);
    members("SELECT grid_id, task_id FROM grid_task ORDER BY grid_id, position", &GridEntry::tasks);
  }

  void members(const char* sql, std::vector<std::string> GridEntry::*list) {
    SQLite::Statement row(database, sql);
    while (row.executeStep()) {
      (state.grids.at(row.getColumn(0).getInt64()).*list).push_back(row.getColumn(1).getString());
    }
  }
};

State Store::load(const Now& now, const Settings& settings) const {
  try {
    Loader loader{connection_->database, now, settings, {}};
    loader.load();
    return std::move(loader.state);
  } catch (const SQLite::Exception& error) {
    rethrow(error, "cannot read the database");
  }
}

std::vector<StoredAttempt> Store::attempts(const std::string& task_id) const {
  std::vector<StoredAttempt> attempts;
  SQLite::Statement row(connection_->database,
                        Loader::attempts_sql("WHERE a.task_id = ? ORDER BY a.number"));
  row.bind(1, task_id);
  while (row.executeStep()) {
    attempts.push_back({Loader::attempt_of(row), row.getColumn(12).getString()});
  }
  return attempts;
}

std::vector<Figure> Store::figures(const std::string& task_id) const {
  std::vector<Figure> figures;
  SQLite::Statement& row = connection_->prepared(
      "SELECT weights, eval_set, metric, value, n FROM figure WHERE task_id = ?");
  row.bind(1, task_id);
  while (row.executeStep()) {
    figures.push_back({row.getColumn(0).getString(), row.getColumn(1).getString(),
                       row.getColumn(2).getString(), row.getColumn(3).getDouble(),
                       row.getColumn(4).getInt64()});
  }
  row.reset();
  return figures;
}

}  // namespace remixer::coordinator
