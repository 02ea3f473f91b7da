// SPDX-License-Identifier: Apache-2.0
// Writes to the database: one or a few statements per kind of write.
#include "base/error.h"
#include "base/failpoint.h"
#include "coordinator/store/connection.h"

namespace remixer::coordinator {

struct Store::Writer {
  Connection& c;

  void operator()(const PutCell& put) {
    const PreparedCell& cell = put.grid->cells[put.index];
    c.run(
        "INSERT INTO cell (number, id, architecture, spatial_prior, labeler, train_set, recipe,"
        " seed, precision, identity) VALUES (?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (number) DO UPDATE SET labeler = excluded.labeler, recipe = excluded.recipe,"
        " train_set = excluded.train_set",
        put.number, cell.id, cell.architecture.text(), cell.spatial_prior.text(),
        cell.labeler_name.text(), cell.dataset_name.text(), cell.recipe_name.text(), cell.seed,
        cell.precision.text(), cell.identity);
  }

  void operator()(const PutTask& put) {
    const PreparedTask& task = put.grid->tasks[put.index];
    c.run(
        "INSERT INTO task (number, id, kind, cell, title, spec, state, place)"
        " VALUES (?, ?, ?, nullif(?, 0), ?, ?, 'waiting', ?)",
        put.number, task.id, std::string(experiments::to_string(task.kind)), put.cell, task.title,
        task.spec, put.order);
    for (size_t i = 0; i < put.dependencies.size(); ++i) {
      c.run("INSERT INTO dependency (task, position, depends_on) VALUES (?,?,?)", put.number,
            static_cast<int64_t>(i), put.dependencies[i]);
    }
  }

  void operator()(const PutTitle& put) {
    c.run("UPDATE task SET title = ? WHERE number = ?", put.title, put.task);
  }

  void operator()(const PutTaskState& put) {
    c.run(
        "UPDATE task SET state = ?1, place = ?2, attempts = ?3, fence = ?4, failures = ?5,"
        " crashes = ?6, alone = ?7, reason = ?8, seconds = ?9, settled = nullif(?10, 0.0),"
        " given_up = ?12, result = CASE ?1 WHEN 'done' THEN result END WHERE number = ?11",
        std::string(to_string(put.state)), put.order, put.attempts, put.fence, put.failures,
        put.crashes, put.alone, put.reason, put.seconds, put.done_wall, put.task, put.given_up);
  }

  void operator()(const PutAttempt& put) {
    const Attempt& a = put.attempt;
    c.run(
        "INSERT INTO attempt (fence, task, number, worker_id, state, started, ended, reason,"
        " step, total_steps, activity, reported) VALUES (?,?,?,?,?,?,nullif(?, 0.0),?,?,?,?,?)"
        " ON CONFLICT (fence) DO UPDATE SET state = excluded.state, ended = excluded.ended,"
        " reason = excluded.reason, step = excluded.step, total_steps = excluded.total_steps,"
        " activity = excluded.activity, reported = excluded.reported",
        a.fence, put.task, a.number, a.worker_id, std::string(to_string(a.state)), a.started_wall,
        a.ended_wall, a.reason, a.step, a.total_steps, a.activity,
        static_cast<int64_t>(a.held_until == 0));
  }

  void operator()(const PutWorker& put) {
    const auto& w = put.worker.about;
    c.run(
        "INSERT INTO worker (id, name, host, pid, ranks, device, boot_id, version, environment,"
        " gpus, ends_at, pid_namespace, started, gone) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (id) DO UPDATE SET"
        " name = excluded.name, ranks = excluded.ranks, device = excluded.device,"
        " gpus = excluded.gpus, ends_at = excluded.ends_at, gone = excluded.gone",
        put.worker.id, w.name, w.host, w.pid, w.ranks, w.device, w.boot_id, w.version,
        w.environment.dump(), w.gpus, w.ends_at, w.pid_namespace, w.started,
        static_cast<int64_t>(put.worker.gone));
  }

  void operator()(const PutGrid& put) {
    c.run(
        "INSERT INTO grid (id, name, description, key, text, submitted, cancelled)"
        " VALUES (?, ?, '', ?, '', 0, 0)",
        put.id, put.grid->name, put.key);
    for (size_t i = 0; i < put.cells.size(); ++i) {
      c.run("INSERT INTO grid_cell (grid_id, position, cell) VALUES (?,?,?)", put.id,
            static_cast<int64_t>(i), put.cells[i]);
    }
    for (size_t i = 0; i < put.tasks.size(); ++i) {
      c.run("INSERT INTO grid_task (grid_id, position, task) VALUES (?,?,?)", put.id,
            static_cast<int64_t>(i), put.tasks[i]);
    }
  }

  void operator()(const PutGridState& put) {
    c.run(
        "UPDATE grid SET description = ?1, text = CASE ?2 WHEN '' THEN text ELSE ?2 END,"
        " submitted = ?3, cancelled = ?4, paused = ?5, said = ?6, priority = ?7, max_running = ?8,"
        " ranks = ?9, gpus = ?10 WHERE id = ?11",
        put.description, put.text, put.submitted_wall, static_cast<int64_t>(put.cancelled),
        static_cast<int64_t>(put.paused), static_cast<int64_t>(put.said), put.settings.priority,
        put.settings.max_running, put.settings.ranks, put.settings.gpus, put.id);
  }

  void operator()(const DeleteGrid& put) {
    c.run("DELETE FROM grid_task WHERE grid_id = ?", put.id);
    c.run("DELETE FROM grid_cell WHERE grid_id = ?", put.id);
    c.run("DELETE FROM grid WHERE id = ?", put.id);
    // Its number must not be reused.
    c.run(
        "INSERT OR REPLACE INTO counter (name, value) VALUES ('grid',"
        " max(?, ifnull((SELECT value FROM counter WHERE name = 'grid'), 0)))",
        put.id);
  }

  void operator()(const PutMetrics& put) {
    // A heartbeat may arrive twice.
    for (const auto& point : put.points) {
      c.run("INSERT OR REPLACE INTO metric (fence, name, step, epoch, value) VALUES (?,?,?,?,?)",
            put.fence, point.name, point.step, point.epoch, point.value);
    }
  }

  // Checks the fence again, inside the transaction: a second result, or one of a replaced attempt,
  // aborts the whole transaction.
  void operator()(const PutResult& put) {
    const int changed =
        c.run("UPDATE task SET result = ? WHERE number = ? AND fence = ? AND result IS NULL",
              put.result, put.task, put.fence);
    if (changed != 1) {
      fail("a result of task {} with fence {} is not the first of its newest attempt", put.task,
           put.fence);
    }
    for (const auto& figure : put.figures) {
      c.run(
          "INSERT OR REPLACE INTO figure (task, weights, eval_set, metric, value, n, fence)"
          " VALUES (?,?,?,?,?,?,?)",
          put.task, figure.weights, figure.eval_set, figure.metric, figure.value, figure.n,
          put.fence);
    }
  }

  void operator()(const DeleteFigures& put) {
    c.run("DELETE FROM figure WHERE task = ?", put.task);
  }

  void operator()(const PutNotice& put) {
    c.run("INSERT INTO notice (id, event, grid_id, body, made) VALUES (?,?,?,?,?)", put.id,
          put.event, put.grid_id, put.body, put.wall);
    c.run("INSERT OR REPLACE INTO counter (name, value) VALUES ('notice', ?)", put.id);
  }

  void operator()(const DeleteNotice& put) { c.run("DELETE FROM notice WHERE id = ?", put.id); }
};

void Store::commit(const std::vector<Write>& writes) {
  try {
    SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
    Writer writer{*connection_};
    for (const Write& write : writes) std::visit(writer, write);
    failpoint("before-commit");
    transaction.commit();
    failpoint("after-commit");
  } catch (const SQLite::Exception& error) {
    rethrow(error, "cannot write the database");
  }
}

}  // namespace remixer::coordinator
