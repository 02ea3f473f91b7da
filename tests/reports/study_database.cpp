#include "tests/reports/study_database.h"

#include <stdlib.h>

#include <stdexcept>

#include "base/json.h"
#include "reports/study.h"

namespace remixer::reports {

namespace {

using experiments::Json;

template <typename... Values>
void insert(SQLite::Database& db, const std::string& sql, const Values&... values) {
  SQLite::Statement statement(db, sql);
  int index = 0;
  (statement.bind(++index, values), ...);
  statement.exec();
}

}  // namespace

StudyDatabase::StudyDatabase() {
  std::string pattern = (std::filesystem::temp_directory_path() / "reports-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  connection_ = std::make_unique<SQLite::Database>(file().string(),
                                                   SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  connection_->exec("PRAGMA journal_mode = WAL");
  connection_->exec("PRAGMA synchronous = OFF");
  connection_->exec(
      "CREATE TABLE results (cell_id, task_id, architecture, spatial_prior, labeler, train_set, "
      "recipe, seed, weights, eval_set, metric, value, n);"
      "CREATE TABLE runs (task_id, cell_id, kind, attempt, state, worker, started_at, ended_at, "
      "reason);"
      "CREATE TABLE metrics (task_id, attempt, step, epoch, name, value);"
      "CREATE TABLE cells (cell_id, architecture, spatial_prior, labeler, train_set, recipe, seed, "
      "precision, identity);"
      "CREATE TABLE grid_cells (grid_id, grid, position, cell_id);"
      "CREATE TABLE grid_tasks (grid_id, position, task_id, kind, cell_id, title, state);");
}

StudyDatabase::~StudyDatabase() {
  connection_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void StudyDatabase::begin_grid(const std::string& name) {
  ++grid_id_;
  grid_ = name;
  insert(*connection_,
         "INSERT INTO grid_tasks VALUES (?, 0, ?, 'prepare', NULL, 'prepare', 'done')", grid_id_,
         "prepare of " + name);
}

std::string StudyDatabase::add_cell(const CellSpec& spec, const std::string& train_state) {
  const Json identity = {{"architecture", spec.architecture},   {"labeler", spec.labeler},
                         {"spatial_prior", spec.spatial_prior}, {"seed", spec.seed},
                         {"dataset", spec.train_set},           {"recipe", spec.recipe},
                         {"precision", spec.precision},         {"other", spec.other}};
  const std::string id = experiments::content_id(identity);
  insert(*connection_, "INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", id,
         spec.architecture, spec.spatial_prior, spec.labeler, spec.train_set, spec.recipe,
         spec.seed, spec.precision, identity.dump());
  insert(*connection_, "INSERT INTO grid_cells VALUES (?, ?, ?, ?)", grid_id_, grid_, ++position_,
         id);
  add_task("train " + id, "train", id, train_state);
  return id;
}

std::string StudyDatabase::identity_of(const std::string& cell) {
  SQLite::Statement query(*connection_, "SELECT identity FROM cells WHERE cell_id = ?");
  query.bind(1, cell);
  if (!query.executeStep()) throw std::runtime_error("no such cell");
  return query.getColumn(0).getString();
}

void StudyDatabase::add_task(const std::string& id, const std::string& kind,
                             const std::string& cell, const std::string& state) {
  insert(*connection_, "INSERT INTO grid_tasks VALUES (?, ?, ?, ?, ?, '', ?)", grid_id_,
         ++position_, id, kind, cell, state);
}

void StudyDatabase::add_evaluate_task(const std::string& cell, const std::string& set,
                                      const std::string& state) {
  add_task(evaluate_task_id(identity_of(cell), set), "evaluate", cell, state);
}

void StudyDatabase::add_figure(const std::string& cell, const std::string& set, double value,
                               int64_t n, const std::string& weights) {
  if (weights == "raw") add_evaluate_task(cell, set, "done");
  insert(*connection_,
         "INSERT INTO results SELECT cell_id, ?, architecture, spatial_prior, labeler, train_set, "
         "recipe, seed, ?, ?, 'top1', ?, ? FROM cells WHERE cell_id = ?",
         evaluate_task_id(identity_of(cell), set), weights, set, value, n, cell);
}

void StudyDatabase::add_challenge(const std::string& cell, const std::vector<double>& values,
                                  int64_t n, const std::string& weights) {
  const char* sets[] = {"original", "only_bg_b", "only_bg_t", "mixed_same", "mixed_rand"};
  for (size_t i = 0; i < values.size(); ++i) add_figure(cell, sets[i], values[i], n, weights);
}

void StudyDatabase::add_training(const std::string& cell, int64_t attempt, const std::string& state,
                                 const std::string& started, const std::string& ended,
                                 const std::vector<double>& kappa) {
  insert(*connection_, "INSERT INTO runs VALUES (?, ?, 'train', ?, ?, 'host:1', ?, ?, NULL)",
         "train " + cell, cell, attempt, state, started, ended);
  for (size_t block = 0; block < kappa.size(); ++block) {
    for (int step : {1000, 500}) {  // the last step counts, not the last row
      insert(*connection_, "INSERT INTO metrics VALUES (?, ?, ?, 1, ?, ?)", "train " + cell,
             attempt, step, "kappa." + std::to_string(block), kappa[block] * step / 1000);
    }
  }
}

}  // namespace remixer::reports
