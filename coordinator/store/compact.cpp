// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/compact.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "coordinator/store/backup.h"

namespace remixer::coordinator {
namespace {

// Tasks of the cells that a grid did not ask for stay: the tables show what they found.
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

// Calls hosts by numbers, in the order in which they are asked for.
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

CompactSummary write_compact(const std::filesystem::path& from, const std::filesystem::path& to,
                             const std::vector<int64_t>& grids) {
  CompactSummary summary;
  summary.bytes =
      write_copy(from, to, fmt::format("cannot export {} to {}", from.string(), to.string()),
                 [&](SQLite::Database& copy) {
                   {
                     SQLite::Transaction transaction(copy);
                     copy.exec(fmt::format(fmt::runtime(kKeepGrids), fmt::join(grids, ", "),
                                           kExportedWorkspace));
                     hide_machines(copy);
                     transaction.commit();
                   }
                   copy.exec("VACUUM");
                   summary.grids = copy.execAndGet("SELECT count(*) FROM grid").getInt64();
                   summary.cells = copy.execAndGet("SELECT count(*) FROM cell").getInt64();
                   summary.results = copy.execAndGet("SELECT count(*) FROM results").getInt64();
                 });
  return summary;
}

}  // namespace remixer::coordinator
