// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/schema.h"

#include <array>

#include "base/error.h"

namespace remixer::coordinator {
namespace {

// kSteps[n - 1] migrates version n - 1 to n. A released step is never edited.
constexpr std::array<const char*, kSchemaVersion> kSteps = {
    // 1: the tables.
    R"sql(
CREATE TABLE cell (
  id TEXT PRIMARY KEY, architecture TEXT NOT NULL, spatial_prior TEXT NOT NULL,
  labeler TEXT NOT NULL, train_set TEXT NOT NULL, recipe TEXT NOT NULL, seed INTEGER NOT NULL,
  precision TEXT NOT NULL, identity TEXT NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE task (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, cell_id TEXT REFERENCES cell(id), title TEXT NOT NULL,
  spec TEXT NOT NULL, state TEXT NOT NULL, place INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', result TEXT,
  seconds REAL NOT NULL DEFAULT 0, settled REAL) WITHOUT ROWID;
CREATE TABLE dependency (
  task_id TEXT NOT NULL REFERENCES task(id), position INTEGER NOT NULL,
  depends_on TEXT NOT NULL REFERENCES task(id), PRIMARY KEY (task_id, position)) WITHOUT ROWID;
CREATE TABLE worker (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,
  ranks INTEGER NOT NULL, device TEXT NOT NULL, boot_id TEXT NOT NULL, version TEXT NOT NULL,
  environment TEXT NOT NULL, gone INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE attempt (
  fence INTEGER PRIMARY KEY, task_id TEXT NOT NULL REFERENCES task(id), number INTEGER NOT NULL,
  worker_id TEXT NOT NULL REFERENCES worker(id), state TEXT NOT NULL, started REAL NOT NULL,
  ended REAL, reason TEXT NOT NULL, step INTEGER NOT NULL, total_steps INTEGER NOT NULL,
  activity TEXT NOT NULL, reported INTEGER NOT NULL, UNIQUE (task_id, number));
CREATE TABLE metric (
  fence INTEGER NOT NULL REFERENCES attempt(fence), name TEXT NOT NULL, step INTEGER NOT NULL,
  epoch REAL NOT NULL, value REAL, PRIMARY KEY (fence, name, step)) WITHOUT ROWID;
CREATE TABLE figure (
  task_id TEXT NOT NULL REFERENCES task(id), weights TEXT NOT NULL, eval_set TEXT NOT NULL,
  metric TEXT NOT NULL, value REAL NOT NULL, n INTEGER NOT NULL,
  fence INTEGER NOT NULL REFERENCES attempt(fence),
  PRIMARY KEY (task_id, weights, eval_set, metric)) WITHOUT ROWID;
CREATE TABLE grid (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL, submitted REAL NOT NULL, cancelled INTEGER NOT NULL);
CREATE TABLE grid_cell (
  grid_id INTEGER NOT NULL REFERENCES grid(id), position INTEGER NOT NULL,
  cell_id TEXT NOT NULL REFERENCES cell(id), PRIMARY KEY (grid_id, position)) WITHOUT ROWID;
CREATE TABLE grid_task (
  grid_id INTEGER NOT NULL REFERENCES grid(id), position INTEGER NOT NULL,
  task_id TEXT NOT NULL REFERENCES task(id), PRIMARY KEY (grid_id, position)) WITHOUT ROWID;
)sql",
    // 2: the views that readers rely on.
    R"sql(
CREATE VIEW results AS
  SELECT c.id AS cell_id, f.task_id, c.architecture, c.spatial_prior, c.labeler, c.train_set,
         c.recipe, c.seed, f.weights, f.eval_set, f.metric, f.value, f.n
  FROM figure f JOIN task t ON t.id = f.task_id JOIN cell c ON c.id = t.cell_id;
CREATE VIEW runs AS
  SELECT a.task_id, t.cell_id, t.kind, a.number AS attempt, a.state, w.name AS worker,
         strftime('%Y-%m-%dT%H:%M:%SZ', a.started, 'unixepoch') AS started_at,
         strftime('%Y-%m-%dT%H:%M:%SZ', a.ended, 'unixepoch') AS ended_at,
         nullif(a.reason, '') AS reason
  FROM attempt a JOIN task t ON t.id = a.task_id JOIN worker w ON w.id = a.worker_id;
CREATE VIEW metrics AS
  SELECT a.task_id, a.number AS attempt, m.step, m.epoch, m.name, m.value
  FROM metric m JOIN attempt a ON a.fence = m.fence;
CREATE VIEW cells AS
  SELECT id AS cell_id, architecture, spatial_prior, labeler, train_set, recipe, seed, precision,
         identity FROM cell;
CREATE VIEW grid_cells AS
  SELECT g.id AS grid_id, g.name AS grid, gc.position, gc.cell_id
  FROM grid_cell gc JOIN grid g ON g.id = gc.grid_id;
CREATE VIEW grid_tasks AS
  SELECT gt.grid_id, gt.position, gt.task_id, t.kind, t.cell_id, t.title, t.state
  FROM grid_task gt JOIN task t ON t.id = gt.task_id;
CREATE VIEW environments AS
  SELECT a.task_id, a.number AS attempt, w.name AS worker, w.ranks, w.device, w.version,
         w.environment
  FROM attempt a JOIN worker w ON w.id = a.worker_id;
CREATE INDEX attempt_of_worker ON attempt(worker_id);
CREATE INDEX task_of_cell ON task(cell_id);
)sql",
    // 3: rows are keyed by number, so that large databases stay compact and new rows are appended;
    // a cell's identity is stored once; grid settings, lost workers, notices.
    R"sql(
DROP VIEW results; DROP VIEW runs; DROP VIEW metrics; DROP VIEW cells; DROP VIEW grid_cells;
DROP VIEW grid_tasks; DROP VIEW environments;
ALTER TABLE cell RENAME TO cell2;
ALTER TABLE task RENAME TO task2;
ALTER TABLE dependency RENAME TO dependency2;
ALTER TABLE worker RENAME TO worker2;
ALTER TABLE attempt RENAME TO attempt2;
ALTER TABLE metric RENAME TO metric2;
ALTER TABLE figure RENAME TO figure2;
ALTER TABLE grid RENAME TO grid2;
ALTER TABLE grid_cell RENAME TO grid_cell2;
ALTER TABLE grid_task RENAME TO grid_task2;
DROP INDEX attempt_of_worker; DROP INDEX task_of_cell;

CREATE TABLE cell (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, architecture TEXT NOT NULL,
  spatial_prior TEXT NOT NULL, labeler TEXT NOT NULL, train_set TEXT NOT NULL,
  recipe TEXT NOT NULL, seed INTEGER NOT NULL, precision TEXT NOT NULL, identity TEXT NOT NULL);
CREATE TABLE task (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  cell INTEGER REFERENCES cell(number), title TEXT NOT NULL, spec TEXT NOT NULL,
  state TEXT NOT NULL, place INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0, alone INTEGER NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '', result TEXT, seconds REAL NOT NULL DEFAULT 0, settled REAL);
CREATE TABLE dependency (
  task INTEGER NOT NULL REFERENCES task(number), position INTEGER NOT NULL,
  depends_on INTEGER NOT NULL REFERENCES task(number),
  PRIMARY KEY (task, position)) WITHOUT ROWID;
CREATE TABLE worker (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,
  ranks INTEGER NOT NULL, device TEXT NOT NULL, boot_id TEXT NOT NULL, version TEXT NOT NULL,
  environment TEXT NOT NULL, gpus INTEGER NOT NULL DEFAULT 0, ends_at REAL NOT NULL DEFAULT 0,
  gone INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE attempt (
  fence INTEGER PRIMARY KEY, task INTEGER NOT NULL REFERENCES task(number),
  number INTEGER NOT NULL, worker_id TEXT NOT NULL REFERENCES worker(id), state TEXT NOT NULL,
  started REAL NOT NULL, ended REAL, reason TEXT NOT NULL, step INTEGER NOT NULL,
  total_steps INTEGER NOT NULL, activity TEXT NOT NULL, reported INTEGER NOT NULL,
  UNIQUE (task, number));
CREATE TABLE metric (
  fence INTEGER NOT NULL REFERENCES attempt(fence), name TEXT NOT NULL, step INTEGER NOT NULL,
  epoch REAL NOT NULL, value REAL, PRIMARY KEY (fence, name, step)) WITHOUT ROWID;
CREATE TABLE figure (
  task INTEGER NOT NULL REFERENCES task(number), weights TEXT NOT NULL, eval_set TEXT NOT NULL,
  metric TEXT NOT NULL, value REAL NOT NULL, n INTEGER NOT NULL,
  fence INTEGER NOT NULL REFERENCES attempt(fence),
  PRIMARY KEY (task, weights, eval_set, metric)) WITHOUT ROWID;
CREATE TABLE grid (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL, submitted REAL NOT NULL, cancelled INTEGER NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0, said INTEGER NOT NULL DEFAULT 0,
  priority INTEGER NOT NULL DEFAULT 0, max_running INTEGER NOT NULL DEFAULT 0,
  ranks INTEGER NOT NULL DEFAULT 0, gpus INTEGER NOT NULL DEFAULT 0);
CREATE TABLE grid_cell (
  grid_id INTEGER NOT NULL REFERENCES grid(id), position INTEGER NOT NULL,
  cell INTEGER NOT NULL REFERENCES cell(number), PRIMARY KEY (grid_id, position)) WITHOUT ROWID;
CREATE TABLE grid_task (
  grid_id INTEGER NOT NULL REFERENCES grid(id), position INTEGER NOT NULL,
  task INTEGER NOT NULL REFERENCES task(number), PRIMARY KEY (grid_id, position)) WITHOUT ROWID;
CREATE TABLE notice (
  id INTEGER PRIMARY KEY, event TEXT NOT NULL, grid_id INTEGER NOT NULL, body TEXT NOT NULL,
  made REAL NOT NULL);
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

INSERT INTO cell (id, architecture, spatial_prior, labeler, train_set, recipe, seed, precision,
                  identity)
  SELECT id, architecture, spatial_prior, labeler, train_set, recipe, seed, precision, identity
  FROM cell2 ORDER BY id;
INSERT INTO task (id, kind, cell, title, spec, state, place, attempts, fence, failures, crashes,
                  alone, reason, result, seconds, settled)
  SELECT t.id, t.kind, c.number, t.title,
         CASE WHEN c.number IS NULL THEN t.spec ELSE json_remove(t.spec, '$.cell') END,
         t.state, t.place, t.attempts,
         ifnull((SELECT max(fence) FROM attempt2 a WHERE a.task_id = t.id), 0), t.failures,
         t.crashes, t.crashes, t.reason, t.result, t.seconds, t.settled
  FROM task2 t LEFT JOIN cell c ON c.id = t.cell_id ORDER BY t.place, t.id;
INSERT INTO dependency
  SELECT t.number, d.position, o.number FROM dependency2 d JOIN task t ON t.id = d.task_id
  JOIN task o ON o.id = d.depends_on;
INSERT INTO worker (id, name, host, pid, ranks, device, boot_id, version, environment, gone)
  SELECT id, name, host, pid, ranks, device, boot_id, version, environment, gone FROM worker2;
INSERT INTO attempt
  SELECT a.fence, t.number, a.number, a.worker_id, a.state, a.started, a.ended, a.reason, a.step,
         a.total_steps, a.activity, a.reported
  FROM attempt2 a JOIN task t ON t.id = a.task_id;
INSERT INTO metric SELECT fence, name, step, epoch, value FROM metric2;
INSERT INTO figure
  SELECT t.number, f.weights, f.eval_set, f.metric, f.value, f.n, f.fence
  FROM figure2 f JOIN task t ON t.id = f.task_id;
-- What ended before there were notices is no news.
INSERT INTO grid (id, name, description, key, text, submitted, cancelled, said)
  SELECT g.id, g.name, g.description, g.key, g.text, g.submitted, g.cancelled,
         CASE WHEN EXISTS (SELECT 1 FROM grid_task2 gt JOIN task2 t ON t.id = gt.task_id
                           WHERE gt.grid_id = g.id AND t.state IN ('waiting', 'ready', 'running'))
              THEN 0 ELSE 2 END
  FROM grid2 g;
INSERT INTO grid_cell
  SELECT g.grid_id, g.position, c.number FROM grid_cell2 g JOIN cell c ON c.id = g.cell_id;
INSERT INTO grid_task
  SELECT g.grid_id, g.position, t.number FROM grid_task2 g JOIN task t ON t.id = g.task_id;
INSERT INTO counter SELECT 'notice', 0;

DROP TABLE grid_task2; DROP TABLE grid_cell2; DROP TABLE grid2; DROP TABLE figure2;
DROP TABLE metric2; DROP TABLE attempt2; DROP TABLE worker2; DROP TABLE dependency2;
DROP TABLE task2; DROP TABLE cell2;

CREATE INDEX attempt_of_worker ON attempt(worker_id);
CREATE INDEX task_of_cell ON task(cell);

CREATE VIEW results AS
  SELECT c.id AS cell_id, t.id AS task_id, c.architecture, c.spatial_prior, c.labeler, c.train_set,
         c.recipe, c.seed, f.weights, f.eval_set, f.metric, f.value, f.n
  FROM figure f JOIN task t ON t.number = f.task JOIN cell c ON c.number = t.cell;
CREATE VIEW runs AS
  SELECT t.id AS task_id, c.id AS cell_id, t.kind, a.number AS attempt, a.state, w.name AS worker,
         strftime('%Y-%m-%dT%H:%M:%SZ', a.started, 'unixepoch') AS started_at,
         strftime('%Y-%m-%dT%H:%M:%SZ', a.ended, 'unixepoch') AS ended_at,
         nullif(a.reason, '') AS reason
  FROM attempt a JOIN task t ON t.number = a.task JOIN worker w ON w.id = a.worker_id
  LEFT JOIN cell c ON c.number = t.cell;
CREATE VIEW metrics AS
  SELECT t.id AS task_id, a.number AS attempt, m.step, m.epoch, m.name, m.value
  FROM metric m JOIN attempt a ON a.fence = m.fence JOIN task t ON t.number = a.task;
CREATE VIEW cells AS
  SELECT id AS cell_id, architecture, spatial_prior, labeler, train_set, recipe, seed, precision,
         identity FROM cell;
CREATE VIEW grid_cells AS
  SELECT g.id AS grid_id, g.name AS grid, gc.position, c.id AS cell_id
  FROM grid_cell gc JOIN grid g ON g.id = gc.grid_id JOIN cell c ON c.number = gc.cell;
CREATE VIEW grid_tasks AS
  SELECT gt.grid_id, gt.position, t.id AS task_id, t.kind, c.id AS cell_id, t.title, t.state
  FROM grid_task gt JOIN task t ON t.number = gt.task LEFT JOIN cell c ON c.number = t.cell;
CREATE VIEW environments AS
  SELECT t.id AS task_id, a.number AS attempt, w.name AS worker, w.ranks, w.device, w.version,
         w.environment
  FROM attempt a JOIN task t ON t.number = a.task JOIN worker w ON w.id = a.worker_id;
)sql",
    // 4: the workspace's id; which attempts' results count; the process of a worker.
    R"sql(
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
ALTER TABLE task ADD COLUMN given_up INTEGER NOT NULL DEFAULT 0;
ALTER TABLE worker ADD COLUMN pid_namespace TEXT NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN started INTEGER NOT NULL DEFAULT 0;
)sql"};

int pragma(SQLite::Database& database, const char* name) {
  return database.execAndGet(fmt::format("PRAGMA {}", name)).getInt();
}

}  // namespace

void migrate(SQLite::Database& database, const std::string& name, int version) {
  const int application = pragma(database, "application_id");
  const int found = pragma(database, "user_version");
  const bool empty =
      database.execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 0 && found == 0;
  if (application != kApplicationId && !(empty && application == 0)) {
    fail_input("{} is another program's database; move it away or choose another workspace", name);
  }
  if (found > version) {
    fail_input("{} was written by a newer version (schema {}, this program knows up to {}); update",
               name, found, version);
  }
  for (int next = found; next < version; ++next) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(kSteps[static_cast<size_t>(next)]);
    database.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
    database.exec(fmt::format("PRAGMA user_version = {}", next + 1));
    transaction.commit();
  }
}

}  // namespace remixer::coordinator
