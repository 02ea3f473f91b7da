// Writing: one statement or a few for each kind of write.
#include <cmath>

#include "coordinator/store/connection.h"
#include "core/base/error.h"

namespace remixer::coordinator {

struct Store::Writer {
  Connection& c;

  void operator()(const PutCell& put) {
    const Cell& cell = put.cell;
    c.run(
        "INSERT INTO cell (id, architecture, spatial_prior, labeler, train_set, recipe, seed,"
        " precision, identity, record) VALUES (?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (id) DO UPDATE SET labeler = excluded.labeler, recipe = excluded.recipe,"
        " train_set = excluded.train_set, record = excluded.record",
        put.id, cell.architecture, cell.spatial_prior, cell.labeler_name, cell.dataset_name,
        cell.recipe_name, cell.seed, cell.precision, experiments::canonical_json(cell.identity()),
        experiments::to_json(cell).dump());
  }

  void operator()(const PutTask& put) {
    const Task& task = put.task;
    SQLite::Statement& insert = c.prepared(
        "INSERT INTO task (id, kind, cell_id, title, spec, state, place)"
        " VALUES (?, ?, nullif(?, ''), ?, ?, 'waiting', 0)"
        " ON CONFLICT (id) DO UPDATE SET title = excluded.title");
    insert.bind(1, put.id);
    insert.bind(2, std::string(experiments::to_string(task.kind)));
    insert.bind(3, task.cell_id);
    insert.bind(4, task.title);
    insert.bind(5, task.spec.dump());
    insert.exec();
    for (size_t i = 0; i < task.dependencies.size(); ++i) {
      c.run("INSERT OR IGNORE INTO dependency (task_id, position, depends_on) VALUES (?,?,?)",
            put.id, static_cast<int64_t>(i), task.dependencies[i]);
    }
  }

  void operator()(const PutTaskState& put) {
    c.run(
        "UPDATE task SET state = ?, place = ?, attempts = ?, failures = ?, crashes = ?, reason = ?,"
        " result = nullif(?, 'null'), seconds = ?, settled = nullif(?, 0.0) WHERE id = ?",
        std::string(to_string(put.state)), put.order, put.attempts, put.failures, put.crashes,
        put.reason, put.result.dump(), put.seconds, put.done_wall, put.id);
  }

  void operator()(const PutAttempt& put) {
    const Attempt& a = put.attempt;
    c.run(
        "INSERT INTO attempt (fence, task_id, number, worker_id, state, started, ended, reason,"
        " step, total_steps, activity, reported) VALUES (?,?,?,?,?,?,nullif(?, 0.0),?,?,?,?,?)"
        " ON CONFLICT (fence) DO UPDATE SET state = excluded.state, ended = excluded.ended,"
        " reason = excluded.reason, step = excluded.step, total_steps = excluded.total_steps,"
        " activity = excluded.activity, reported = excluded.reported",
        a.fence, put.task_id, a.number, a.worker_id, std::string(to_string(a.state)),
        a.started_wall, a.ended_wall, a.reason, a.step, a.total_steps, a.activity,
        static_cast<int64_t>(a.held_until == 0));
  }

  void operator()(const PutWorker& put) {
    const auto& w = put.worker.about;
    c.run(
        "INSERT INTO worker (id, name, host, pid, ranks, device, boot_id, version, environment,"
        " gone) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
        " ranks = excluded.ranks, device = excluded.device, gone = excluded.gone",
        put.worker.id, w.name, w.host, w.pid, w.ranks, w.device, w.boot_id, w.version,
        w.environment.dump(), static_cast<int64_t>(put.worker.gone));
  }

  void operator()(const PutGrid& put) {
    const GridEntry& g = put.grid;
    c.run(
        "INSERT INTO grid (id, name, description, key, text, submitted, cancelled)"
        " VALUES (?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET description = excluded.description,"
        " text = CASE excluded.text WHEN '' THEN text ELSE excluded.text END,"
        " submitted = excluded.submitted, cancelled = excluded.cancelled",
        g.id, g.name, g.description, g.key, put.text, g.submitted_wall,
        static_cast<int64_t>(g.cancelled));
    // The key covers both lists, so those of a known grid are there already.
    for (size_t i = 0; i < g.cells.size(); ++i) {
      c.run("INSERT OR IGNORE INTO grid_cell (grid_id, position, cell_id) VALUES (?,?,?)", g.id,
            static_cast<int64_t>(i), g.cells[i]);
    }
    for (size_t i = 0; i < g.tasks.size(); ++i) {
      c.run("INSERT OR IGNORE INTO grid_task (grid_id, position, task_id) VALUES (?,?,?)", g.id,
            static_cast<int64_t>(i), g.tasks[i]);
    }
  }

  void operator()(const PutMetrics& put) {
    // A heartbeat may arrive twice.
    for (const auto& point : put.points) {
      c.run("INSERT OR REPLACE INTO metric (fence, name, step, epoch, value) VALUES (?,?,?,?,?)",
            put.fence, point.name, point.step, point.epoch, point.value);
    }
  }

  void operator()(const PutFigures& put) {
    c.run("DELETE FROM figure WHERE task_id = ?", put.task_id);
    for (const auto& figure : put.figures) {
      c.run(
          "INSERT OR REPLACE INTO figure (task_id, weights, eval_set, metric, value, n, fence)"
          " VALUES (?,?,?,?,?,?,?)",
          put.task_id, figure.weights, figure.eval_set, figure.metric, figure.value, figure.n,
          put.fence);
    }
  }
};

void Store::commit(const std::vector<Write>& writes) {
  try {
    SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
    Writer writer{*connection_};
    for (const Write& write : writes) std::visit(writer, write);
    transaction.commit();
  } catch (const SQLite::Exception& error) {
    rethrow(error, "cannot write the database");
  }
}

}  // namespace remixer::coordinator
