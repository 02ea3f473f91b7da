#include "reports/study.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/json.h"
#include "experiments/spec/task.h"

namespace remixer::reports {

namespace {

// An SQLite URI of a path: what has a meaning there is escaped.
std::string read_only_uri(const std::filesystem::path& database) {
  std::string uri = "file:";
  for (unsigned char c : std::filesystem::absolute(database).string()) {
    if (std::isalnum(c) || c == '/' || c == '.' || c == '-' || c == '_') {
      uri += static_cast<char>(c);
    } else {
      uri += fmt::format("%{:02X}", c);
    }
  }
  return uri + "?mode=ro";
}

void read_grid(SQLite::Database& db, const std::string& grid, const std::string& path,
               Study& study) {
  SQLite::Statement query(db,
                          "SELECT grid_id, grid FROM grid_cells WHERE ?1 = '' OR grid = ?1 "
                          "ORDER BY grid_id DESC LIMIT 1");
  query.bind(1, grid);
  if (query.executeStep()) {
    study.grid_id = query.getColumn(0).getInt64();
    study.grid = query.getColumn(1).getString();
    return;
  }
  if (grid.empty()) fail_input("{}: no grid has been submitted yet", path);
  std::string known;
  SQLite::Statement names(db, "SELECT DISTINCT grid FROM grid_cells ORDER BY grid LIMIT 10");
  while (names.executeStep()) known += (known.empty() ? "" : ", ") + names.getColumn(0).getString();
  fail_input("{}: no grid named '{}'; there {}", path, grid,
             known.empty() ? "are none" : "are: " + known);
}

void read_cells(SQLite::Database& db, Study& study) {
  SQLite::Statement query(
      db,
      "SELECT c.cell_id, c.architecture, c.spatial_prior, c.labeler, c.train_set, c.recipe, "
      "c.precision, c.seed, c.identity FROM grid_cells g JOIN cells c ON c.cell_id = g.cell_id "
      "WHERE g.grid_id = ? ORDER BY g.position");
  query.bind(1, study.grid_id);
  while (query.executeStep()) {
    StudyCell cell;
    std::string* texts[] = {&cell.id,        &cell.architecture, &cell.spatial_prior, &cell.labeler,
                            &cell.train_set, &cell.recipe,       &cell.precision};
    for (int i = 0; i < 7; ++i) *texts[i] = query.getColumn(i).getString();
    cell.seed = query.getColumn(7).getInt64();
    cell.identity = query.getColumn(8).getString();
    study.cells.push_back(std::move(cell));
  }
}

void read_tasks(SQLite::Database& db, Study& study) {
  SQLite::Statement query(db,
                          "SELECT task_id, kind, cell_id, state FROM grid_tasks WHERE grid_id = ?");
  query.bind(1, study.grid_id);
  while (query.executeStep()) {
    StudyTask task{query.getColumn(1).getString(), query.getColumn(2).getString(),
                   query.getColumn(3).getString()};
    if (task.kind == "train") study.train_state[task.cell_id] = task.state;
    study.tasks[query.getColumn(0).getString()] = std::move(task);
  }
}

void read_figures(SQLite::Database& db, Study& study) {
  SQLite::Statement query(db,
                          "SELECT cell_id, weights, eval_set, metric, value, n FROM results "
                          "WHERE cell_id IN (SELECT cell_id FROM grid_cells WHERE grid_id = ?)");
  query.bind(1, study.grid_id);
  while (query.executeStep()) {
    std::string cell = query.getColumn(0).getString(), weights = query.getColumn(1).getString(),
                set = query.getColumn(2).getString(), metric = query.getColumn(3).getString();
    const double value = query.getColumn(4).getDouble();
    const int64_t n = query.getColumn(5).getInt64();
    if (!(value >= 0 && value <= 100) || n <= 0) {
      fail_input(
          "results: {} of cell {} on {} is {} % of {} images, which cannot be; retry its task",
          metric, cell.substr(0, 12), set, value, n);
    }
    study.figures[{std::move(cell), std::move(weights), std::move(set), std::move(metric)}] = {
        value, n};
  }
}

// Metrics named kappa.<block>; of each the value at the last step.
void read_kappa(SQLite::Database& db, Study& study) {
  SQLite::Statement query(
      db,
      "SELECT r.cell_id, m.name, m.value, MAX(m.step) FROM runs r "
      "JOIN metrics m ON m.task_id = r.task_id AND m.attempt = r.attempt "
      "WHERE r.kind = 'train' AND r.state = 'done' AND m.name GLOB 'kappa.[0-9]*' AND "
      "r.cell_id IN (SELECT cell_id FROM grid_cells WHERE grid_id = ?) GROUP BY r.cell_id, m.name");
  query.bind(1, study.grid_id);
  while (query.executeStep()) {
    const std::string name = query.getColumn(1).getString();
    const char* end = name.data() + name.size();
    size_t block = 0;
    const auto parsed = std::from_chars(name.data() + 6, end, block);
    if (parsed.ec != std::errc() || parsed.ptr != end || block >= 1000) continue;
    std::vector<double>& kappa = study.kappa[query.getColumn(0).getString()];
    if (kappa.size() <= block) kappa.resize(block + 1, std::numeric_limits<double>::quiet_NaN());
    if (!query.getColumn(2).isNull()) kappa[block] = query.getColumn(2).getDouble();
  }
}

void read_train_time(SQLite::Database& db, Study& study) {
  SQLite::Statement query(
      db,
      "SELECT TOTAL((julianday(ended_at) - julianday(started_at)) * 86400) FROM runs "
      "WHERE kind = 'train' AND ended_at IS NOT NULL AND "
      "cell_id IN (SELECT cell_id FROM grid_cells WHERE grid_id = ?)");
  query.bind(1, study.grid_id);
  if (query.executeStep()) study.train_seconds = query.getColumn(0).getDouble();
}

}  // namespace

Study read_study(const std::filesystem::path& database, const std::string& grid) {
  const std::string path = database.string();
  if (!std::filesystem::is_regular_file(database)) {
    fail_input("{}: no such database; name a workspace in which a grid was run", path);
  }
  try {
    SQLite::Database db(read_only_uri(database), SQLite::OPEN_READONLY | SQLite::OPEN_URI, 5000);
    SQLite::Transaction one_view(db);
    Study study;
    read_grid(db, grid, path, study);
    read_cells(db, study);
    read_tasks(db, study);
    read_figures(db, study);
    read_kappa(db, study);
    read_train_time(db, study);
    return study;
  } catch (const SQLite::Exception& error) {
    const bool foreign =
        error.getErrorCode() == SQLITE_NOTADB || error.getErrorCode() == SQLITE_ERROR;
    if (foreign) fail_input("{}: not a database of this program ({})", path, error.what());
    fail("{}: cannot read the database: {}", path, error.what());
  }
}

std::string evaluate_task_id(const std::string& identity, const std::string& eval_set) {
  return experiments::content_id({{"kind", "evaluate"},
                                  {"cell", experiments::Json::parse(identity)},
                                  {"eval_set", eval_set},
                                  {"version", experiments::kEvaluationVersion}});
}

}  // namespace remixer::reports
