// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/compact.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <map>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "coordinator/store/backup.h"

namespace remixer::coordinator {
namespace {

// Keeps other tasks of the grids' cells, since the tables show their results.
constexpr const char* kKeepGrids = R"sql(
DELETE FROM grid WHERE id NOT IN ({0});
DELETE FROM grid_cell WHERE grid_id NOT IN ({0});
DELETE FROM grid_task WHERE grid_id NOT IN ({0});
DELETE FROM cell WHERE number NOT IN (SELECT cell FROM grid_cell);
CREATE TEMP TABLE kept AS
  WITH RECURSIVE needed(task) AS (
    SELECT task FROM grid_task UNION SELECT number FROM task WHERE cell IN (SELECT number FROM cell)
    UNION SELECT d.depends_on FROM dependency d JOIN needed n ON n.task = d.task)
  SELECT task FROM needed;
DELETE FROM task WHERE number NOT IN (SELECT task FROM kept);
DELETE FROM dependency WHERE task NOT IN (SELECT task FROM kept);
DELETE FROM figure WHERE task NOT IN (SELECT task FROM kept);
DELETE FROM attempt WHERE state <> 'done' OR task NOT IN (SELECT task FROM kept);
DELETE FROM metric WHERE fence NOT IN (SELECT fence FROM attempt);
DELETE FROM worker WHERE id NOT IN (SELECT worker_id FROM attempt);
DELETE FROM notice;
DROP TABLE kept;
UPDATE task SET state = 'ready' WHERE state = 'running';
UPDATE attempt SET reason = '', activity = '';
INSERT OR REPLACE INTO about (name, value) VALUES ('workspace', '{1}');
)sql";

// Tasks done in `other` but not here. Their fences continue after {0}, the largest here; the worker
// ids, which another daemon assigned, are prefixed with that number.
constexpr const char* kFill = R"sql(
CREATE TEMP TABLE filled AS
  SELECT m.number AS mine, o.number AS theirs, a.fence AS fence
  FROM main.task m JOIN other.task o ON o.id = m.id
  JOIN (SELECT task, max(fence) AS fence FROM other.attempt WHERE state = 'done' GROUP BY task) a
    ON a.task = o.number
  WHERE m.state <> 'done' AND o.state = 'done';
INSERT INTO worker (id, name, host, pid, ranks, device, boot_id, version, environment, gpus, gone)
  SELECT '{0}/' || id, name, host, pid, ranks, device, boot_id, version, environment, gpus, gone
  FROM other.worker WHERE id IN (SELECT a.worker_id FROM other.attempt a JOIN filled USING (fence));
INSERT INTO attempt (fence, task, number, worker_id, state, started, ended, reason, step,
                     total_steps, activity, reported)
  SELECT a.fence + {0}, f.mine, a.number, '{0}/' || a.worker_id, a.state, a.started, a.ended, '',
         a.step, a.total_steps, '', a.reported
  FROM other.attempt a JOIN filled f USING (fence);
INSERT INTO metric (fence, name, step, epoch, value)
  SELECT m.fence + {0}, m.name, m.step, m.epoch, m.value
  FROM other.metric m JOIN filled USING (fence);
INSERT INTO figure (task, weights, eval_set, metric, value, n, fence)
  SELECT f.mine, g.weights, g.eval_set, g.metric, g.value, g.n, f.fence + {0}
  FROM other.figure g JOIN filled f ON f.theirs = g.task;
UPDATE main.task SET (state, attempts, fence, result, seconds, settled) =
  (SELECT 'done', o.attempts, f.fence + {0}, o.result, o.seconds, o.settled
   FROM filled f JOIN other.task o ON o.number = f.theirs WHERE f.mine = task.number)
  WHERE number IN (SELECT mine FROM filled);
)sql";

// Runs many statements in one commit: each commit waits for the disk.
template <typename Change>
void in_one_go(SQLite::Database& database, Change change) {
  SQLite::Transaction transaction(database);
  change();
  transaction.commit();
}

int64_t fill_from(SQLite::Database& database, const std::filesystem::path& other) {
  SQLite::Database source(other.string(), SQLite::OPEN_READONLY, 5000);
  for (const char* what : {"application_id", "user_version"}) {
    const std::string pragma = fmt::format("PRAGMA {}", what);
    if (source.execAndGet(pragma).getInt() != database.execAndGet(pragma).getInt()) {
      fail_input("{}: not a database of this version; `remixer up` brings a workspace's forward",
                 other.string());
    }
  }
  database.exec("ATTACH ':memory:' AS other");
  SQLite::Backup(database, "other", source, "main").executeStep(-1);
  const int64_t fence = database.execAndGet("SELECT ifnull(max(fence), 0) FROM task").getInt64();
  in_one_go(database, [&] { database.exec(fmt::format(fmt::runtime(kFill), fence)); });
  const int64_t filled = database.execAndGet("SELECT count(*) FROM filled").getInt64();
  database.exec("DROP TABLE filled");
  database.exec("DETACH other");
  return filled;
}

// Renames hosts by number, in order of first use.
class HostNames {
 public:
  const std::string& alias(const std::string& host) {
    return aliases_.try_emplace(host, fmt::format("host-{}", aliases_.size() + 1)).first->second;
  }

 private:
  std::map<std::string, std::string> aliases_;
};

std::string without_machine(const std::string& text, HostNames& names) {
  Json environment = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!environment.is_object()) return "{}";
  for (const char* member : {"settings", "device_reason", "weights", "allocation"})
    environment.erase(member);
  if (environment.contains("ranks") && environment.at("ranks").is_array()) {
    for (Json& rank : environment.at("ranks")) {
      if (!rank.is_object() || !rank.contains("host") || !rank.at("host").is_string()) continue;
      rank["host"] = names.alias(rank.at("host").get<std::string>());
    }
  }
  return environment.dump();
}

void hide_machines(SQLite::Database& database) {
  HostNames names;
  SQLite::Statement workers(database,
                            "SELECT id, host, environment FROM worker ORDER BY (SELECT min(fence) "
                            "FROM attempt WHERE worker_id = worker.id)");
  SQLite::Statement update(
      database,
      "UPDATE worker SET name = ?2, host = ?3, environment = ?4, pid = 0, boot_id = '', "
      "pid_namespace = '', started = 0, ends_at = 0, gone = 1 WHERE id = ?1");
  int64_t number = 0;
  std::vector<std::array<std::string, 3>> rows;
  while (workers.executeStep()) {
    rows.push_back({workers.getColumn(0).getString(), workers.getColumn(1).getString(),
                    workers.getColumn(2).getString()});
  }
  for (const auto& [id, host, environment] : rows) {
    update.bind(1, id);
    update.bind(2, fmt::format("worker-{}", ++number));
    update.bind(3, names.alias(host));
    update.bind(4, without_machine(environment, names));
    update.exec();
    update.reset();
  }
}

}  // namespace

bool is_export(const std::filesystem::path& database) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(database, none)) return false;
  try {
    SQLite::Database opened(database.string(), SQLite::OPEN_READONLY, 5000);
    SQLite::Statement id(opened, "SELECT value FROM about WHERE name = 'workspace'");
    return id.executeStep() && id.getColumn(0).getString() == kExportedWorkspace;
  } catch (const SQLite::Exception&) {
    return false;  // whoever opens it next says what is wrong with it
  }
}

CompactSummary write_compact(const std::filesystem::path& from, const std::filesystem::path& to,
                             const std::vector<int64_t>& grids,
                             const std::vector<std::filesystem::path>& others) {
  CompactSummary summary;
  const auto change = [&](SQLite::Database& copy) {
    in_one_go(copy, [&] {
      copy.exec(fmt::format(fmt::runtime(kKeepGrids), fmt::join(grids, ", "), kExportedWorkspace));
    });
    for (const auto& other : others) summary.filled += fill_from(copy, other);
    in_one_go(copy, [&] { hide_machines(copy); });
    copy.exec("VACUUM");
    summary.grids = copy.execAndGet("SELECT count(*) FROM grid").getInt64();
    summary.cells = copy.execAndGet("SELECT count(*) FROM cell").getInt64();
    summary.results = copy.execAndGet("SELECT count(*) FROM results").getInt64();
  };
  summary.bytes = write_copy(
      from, to, fmt::format("cannot export {} to {}", from.string(), to.string()), change);
  return summary;
}

}  // namespace remixer::coordinator
