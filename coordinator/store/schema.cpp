#include "coordinator/store/schema.h"

#include <array>

#include "core/base/error.h"

namespace remixer::coordinator {
namespace {

// Version n is made from n - 1 by kSteps[n - 1]. A step that was released is never edited.
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
