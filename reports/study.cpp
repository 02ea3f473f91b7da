// SPDX-License-Identifier: Apache-2.0
#include "reports/study.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/nearest_name.h"
#include "experiments/spec/task_result.h"
#include "reports/data_kinds.h"
#include "reports/read_database.h"

namespace remixer::reports {

namespace {

constexpr int kApplicationId = 0x524D4958;

std::string text(SQLite::Statement& query, int column) {
  return query.getColumn(column).isNull() ? std::string() : query.getColumn(column).getString();
}

Json json(SQLite::Statement& query, int column) {
  return Json::parse(text(query, column), nullptr, /*allow_exceptions=*/false);
}

std::string member(const Json& object, const char* field) {
  if (!object.is_object()) return "";
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class StudyReader {
 public:
  StudyReader(SQLite::Database& db, const std::string& path, const std::filesystem::path& workspace)
      : db_(db), path_(path), kinds_(workspace) {}

  Study read(const std::vector<std::string>& grids);

 private:
  void check_version();
  void find_grid(const std::string& name);
  void read_cells();
  void read_tasks();
  void read_figures();
  void read_train_time();
  StudyCell* cell_of(int64_t number);
  void add_evaluation(SQLite::Statement& query, StudyCell& cell, const Json& spec);

  SQLite::Database& db_;
  const std::string& path_;
  DataKinds kinds_;
  Study study_;
  std::string grid_list_;                      // "1, 4": the grids' numbers, for SQL
  std::unordered_map<int64_t, size_t> cells_;  // by number
  std::unordered_map<int64_t, std::pair<size_t, size_t>> evaluations_;  // by the task's number
  std::vector<Json> datasets_;                                          // of each cell
};

void StudyReader::check_version() {
  const int application = db_.execAndGet("PRAGMA application_id").getInt();
  const int version = db_.execAndGet("PRAGMA user_version").getInt();
  if (application != kApplicationId) fail_input("{}: not a database of this program", path_);
  if (version > kNewestSchema) {
    fail_input("{} was written by a newer version (schema {}, this program knows up to {}); update",
               path_, version, kNewestSchema);
  }
  if (version < kOldestSchema) {
    fail_input(
        "{} was written by an older version (schema {}, reports need {}); `remixer up` brings it "
        "forward",
        path_, version, kOldestSchema);
  }
}

void StudyReader::find_grid(const std::string& name) {
  SQLite::Statement query(
      db_,
      "SELECT id, name FROM grid WHERE ?1 = '' OR name = ?1 OR CAST(id AS TEXT) = ?1"
      " ORDER BY CAST(id AS TEXT) = ?1 DESC, id DESC LIMIT 1");
  query.bind(1, name);
  if (query.executeStep()) {
    const int64_t id = query.getColumn(0).getInt64();
    if (std::count(study_.grid_ids.begin(), study_.grid_ids.end(), id) > 0) return;
    study_.grid_ids.push_back(id);
    study_.grids.push_back(query.getColumn(1).getString());
    grid_list_ += (grid_list_.empty() ? "" : ", ") + std::to_string(id);
    return;
  }
  if (name.empty()) fail_input("{}: no grid has been submitted yet", path_);
  const std::vector<std::string> known = grid_names(db_);
  if (known.empty()) fail_input("{}: no grid has been submitted yet", path_);
  fail_input("{}: {}", path_, unknown_name("grid", name, known));
}

void StudyReader::read_cells() {
  SQLite::Statement query(
      db_,
      "SELECT c.number, c.id, c.architecture, c.spatial_prior, c.labeler, c.train_set, "
      "c.recipe, c.precision, c.seed, c.identity FROM grid_cell g "
      "JOIN cell c ON c.number = g.cell WHERE g.grid_id IN (" +
          grid_list_ + ") ORDER BY g.grid_id, g.position");
  while (query.executeStep()) {
    const int64_t number = query.getColumn(0).getInt64();
    if (!cells_.emplace(number, study_.cells.size()).second) continue;
    StudyCell cell;
    std::string* texts[] = {&cell.id,        &cell.architecture, &cell.spatial_prior, &cell.labeler,
                            &cell.train_set, &cell.recipe,       &cell.precision};
    for (int i = 0; i < 7; ++i) *texts[i] = text(query, i + 1);
    cell.seed = query.getColumn(8).getInt64();
    Json identity = json(query, 9);
    if (!identity.is_object()) fail_input("{}: the identity of cell {} is torn", path_, cell.id);
    identity.erase("seed");
    cell.but_seed = identity.dump();
    cell.name = model_name(cell.architecture, cell.spatial_prior);
    const Json labeler = identity.value("labeler", Json());
    const Json dataset = identity.value("dataset", Json());
    const Json recipe = identity.value("recipe", Json());
    cell.labels = labeler_name(labeler, cell.labeler);
    cell.is_remixer = labeler.is_object() && member(identity, "distance") != "none";
    const std::string token_labeling = member(recipe, "token_labeling");
    cell.token_labeling = !token_labeling.empty() && token_labeling != "none";
    cell.train_kind = kinds_.kind(dataset, cell.train_set);
    cell.papers_train_set = kinds_.is_papers(dataset, cell.train_kind);
    cell.setting = dataset.dump() + recipe.dump();
    datasets_.push_back(dataset);
    study_.cells.push_back(std::move(cell));
  }
}

StudyCell* StudyReader::cell_of(int64_t number) {
  const auto found = cells_.find(number);
  return found == cells_.end() ? nullptr : &study_.cells[found->second];
}

void StudyReader::add_evaluation(SQLite::Statement& query, StudyCell& cell, const Json& spec) {
  Evaluation evaluation;
  evaluation.task_id = text(query, 1);
  evaluation.state = text(query, 4);
  evaluation.eval_set = member(spec, "eval_set");
  const std::string split = member(spec, "split");
  evaluation.split = split.empty() ? evaluation.eval_set : split;
  evaluation.transform = member(spec, "transform");
  if (const auto result = experiments::stored_result<experiments::EvaluateResult>(text(query, 6))) {
    evaluation.predictions = result->predictions;
    evaluation.predictions_sha256 = result->predictions_sha256;
  }
  const size_t index = static_cast<size_t>(&cell - study_.cells.data());
  evaluation.own = !spec.contains("dataset");
  const Json& dataset = evaluation.own ? datasets_[index] : spec.at("dataset");
  evaluation.dataset = dataset.dump();
  evaluation.kind = evaluation.own ? cell.train_kind : kinds_.kind(dataset, evaluation.eval_set);
  evaluations_[query.getColumn(0).getInt64()] = {index, cell.evaluations.size()};
  cell.evaluations.push_back(std::move(evaluation));
}

// All tasks of the cells, including those that another grid requested. No view has specs and
// results, so the table itself is read: kNewestSchema guards against changes.
void StudyReader::read_tasks() {
  SQLite::Statement query(
      db_,
      "SELECT number, id, kind, cell, state, spec, result, settled FROM task WHERE cell IN "
      "(SELECT cell FROM grid_cell WHERE grid_id IN (" +
          grid_list_ + ")) AND kind IN ('train', 'evaluate') ORDER BY place, number");
  while (query.executeStep()) {
    StudyCell* cell = cell_of(query.getColumn(3).getInt64());
    if (!cell) continue;
    const bool done = text(query, 4) == "done";
    if (done) study_.newest = std::max(study_.newest, query.getColumn(7).getDouble());
    if (text(query, 2) == "evaluate") {
      const Json spec = json(query, 5);
      if (spec.is_object()) add_evaluation(query, *cell, spec);
      continue;
    }
    cell->train_task = text(query, 1);
    cell->train_state = text(query, 4);
    if (!done) continue;
    const auto result = experiments::stored_result<experiments::TrainResult>(text(query, 6));
    if (!result) continue;
    cell->model = result->model;
    for (const auto& kappa : result->kappa) {
      if (kappa) cell->kappa.push_back(*kappa);
    }
  }
}

void StudyReader::read_figures() {
  SQLite::Statement query(
      db_,
      "SELECT f.task, f.weights, f.eval_set, f.metric, f.value, f.n FROM figure f "
      "JOIN task t ON t.number = f.task WHERE t.cell IN "
      "(SELECT cell FROM grid_cell WHERE grid_id IN (" +
          grid_list_ + "))");
  while (query.executeStep()) {
    const auto found = evaluations_.find(query.getColumn(0).getInt64());
    if (found == evaluations_.end()) continue;
    StudyCell& cell = study_.cells[found->second.first];
    const std::string metric = text(query, 3);
    const double value = query.getColumn(4).getDouble();
    const int64_t n = query.getColumn(5).getInt64();
    if (!(value >= 0 && value <= 100) || n <= 0) {
      fail_input(
          "results: {} of cell {} on {} is {} % of {} images, which cannot be; retry its task",
          metric, cell.id.substr(0, 12), text(query, 2), value, n);
    }
    cell.evaluations[found->second.second].figures[{text(query, 1), metric}] = {value, n};
    ++study_.figures;
  }
}

void StudyReader::read_train_time() {
  study_.train_seconds =
      db_.execAndGet(
             "SELECT TOTAL(a.ended - a.started) FROM attempt a JOIN task t ON t.number = a.task "
             "WHERE t.kind = 'train' AND a.ended IS NOT NULL AND t.cell IN "
             "(SELECT cell FROM grid_cell WHERE grid_id IN (" +
             grid_list_ + "))")
          .getDouble();
  if (study_.newest > 0) return;
  // Nothing is done yet: use the time of the last submit.
  study_.newest = db_.execAndGet("SELECT max(submitted) FROM grid WHERE id IN (" + grid_list_ + ")")
                      .getDouble();
}

Study StudyReader::read(const std::vector<std::string>& grids) {
  check_version();
  if (grids.empty()) find_grid("");
  for (const std::string& grid : grids) find_grid(grid);
  read_cells();
  read_tasks();
  read_figures();
  read_train_time();
  return std::move(study_);
}

}  // namespace

Study read_study(const std::filesystem::path& database, const std::vector<std::string>& grids,
                 const std::filesystem::path& workspace) {
  const std::string path = database.string();
  if (!std::filesystem::is_regular_file(database)) {
    fail_input("{}: no such database; name a workspace in which a grid was run", path);
  }
  try {
    const auto opened = open_for_reading(database);
    SQLite::Database& db = *opened;
    SQLite::Transaction one_view(db);
    return StudyReader(db, path, workspace).read(grids);
  } catch (const SQLite::Exception& error) {
    const bool foreign =
        error.getErrorCode() == SQLITE_NOTADB || error.getErrorCode() == SQLITE_ERROR;
    if (foreign) fail_input("{}: not a database of this program ({})", path, error.what());
    fail("{}: cannot read the database: {}", path, error.what());
  }
}

}  // namespace remixer::reports
