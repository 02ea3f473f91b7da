// SPDX-License-Identifier: Apache-2.0
#include "tests/reports/study_database.h"

#include <stdlib.h>

#include <stdexcept>

#include "base/file.h"
#include "coordinator/store/schema.h"
#include "experiments/spec/imported.h"

namespace remixer::reports {

namespace {

template <typename... Values>
void insert(SQLite::Database& db, const std::string& sql, const Values&... values) {
  SQLite::Statement statement(db, sql);
  int index = 0;
  (statement.bind(++index, values), ...);
  statement.exec();
}

bool exists(SQLite::Database& db, const std::string& sql, const std::string& value) {
  SQLite::Statement query(db, sql);
  query.bind(1, value);
  return query.executeStep();
}

Json identity_of(const StudyDatabase::CellSpec& spec) {
  Json labeler;
  if (spec.labeler != "none") {
    labeler = {{"name", spec.kind.empty() ? spec.labeler : spec.kind}, {"version", 1}};
    if (!spec.other.empty()) labeler["other"] = spec.other;
  }
  return {{"architecture", spec.architecture},
          {"labeler", labeler},
          {"distance", spec.labeler == "none" ? "" : spec.distance},
          {"spatial_prior", spec.spatial_prior},
          {"seed", spec.seed},
          {"dataset", {{"builder", spec.builder}, {"called", spec.train_set}}},
          {"recipe", {{"called", spec.recipe}, {"token_labeling", spec.token_labeling}}},
          {"precision", spec.precision}};
}

}  // namespace

StudyDatabase::StudyDatabase() {
  connection_ = std::make_unique<SQLite::Database>(file().string(),
                                                   SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  connection_->exec("PRAGMA journal_mode = WAL");
  connection_->exec("PRAGMA synchronous = OFF");
  coordinator::migrate(*connection_, file().string());
}

StudyDatabase::~StudyDatabase() {
  connection_.reset();
}

void StudyDatabase::begin_grid(const std::string& name) {
  ++grid_id_;
  insert(*connection_,
         "INSERT INTO grid (id, name, description, key, text, submitted, cancelled) "
         "VALUES (?1, ?2, '', ?1, '', 1.6e9, 0)",
         grid_id_, name);
}

std::string StudyDatabase::add_cell(const CellSpec& spec, const std::string& train_state,
                                    const std::vector<double>& kappa) {
  const Json identity = identity_of(spec);
  const std::string id = content_id(identity);
  if (!exists(*connection_, "SELECT 1 FROM cell WHERE id = ?", id)) {
    insert(*connection_,
           "INSERT INTO cell (id, architecture, spatial_prior, labeler, train_set, recipe, seed, "
           "precision, identity) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
           id, spec.architecture, spec.spatial_prior, spec.labeler, spec.train_set, spec.recipe,
           spec.seed, spec.precision, identity.dump());
  }
  insert(*connection_, "INSERT INTO grid_cell SELECT ?, ?, number FROM cell WHERE id = ?", grid_id_,
         ++position_, id);
  add_task("train " + id, "train", id, train_state, {{"kind", "train"}},
           train_state == "done" ? Json{{"kappa", kappa}, {"model", "model.safetensors"}} : Json());
  return id;
}

void StudyDatabase::add_task(const std::string& id, const std::string& kind,
                             const std::string& cell, const std::string& state, const Json& spec,
                             const Json& result) {
  if (!exists(*connection_, "SELECT 1 FROM task WHERE id = ?", id)) {
    insert(*connection_,
           "INSERT INTO task (id, kind, cell, title, spec, state, place, result, settled) "
           "SELECT ?, ?, number, '', ?, ?, ?, nullif(?, 'null'), ? FROM cell WHERE id = ?",
           id, kind, spec.dump(), state, ++position_, result.dump(), now_, cell);
  }
  insert(*connection_, "INSERT INTO grid_task SELECT ?, ?, number FROM task WHERE id = ?", grid_id_,
         ++position_, id);
}

std::string StudyDatabase::add_evaluate_task(const std::string& cell, const Set& set,
                                             const std::string& state) {
  Json spec = {{"kind", "evaluate"}, {"eval_set", set.name}, {"version", 1}};
  if (!set.dataset.is_null()) {
    spec["dataset"] = set.dataset;
    spec["split"] = set.split;
  }
  if (!set.transform.empty()) {
    spec["transform"] = set.transform;
    spec["split"] = set.split;
  }
  const std::string id = "evaluate " + set.name + " " + cell;
  const Json result = {{"predictions", "runs/" + id + "/predictions.safetensors"}};
  add_task(id, "evaluate", cell, state, spec, state == "done" ? result : Json());
  return id;
}

void StudyDatabase::add_figure(const std::string& cell, const Set& set, double value, int64_t n,
                               const std::string& weights) {
  const std::string task = "evaluate " + set.name + " " + cell;
  if (!exists(*connection_, "SELECT 1 FROM task WHERE id = ?", task)) {
    add_evaluate_task(cell, set, "done");
  }
  insert(*connection_,
         "INSERT INTO figure SELECT number, ?, ?, 'top1', ?, ?, 1 FROM task WHERE id = ?", weights,
         set.name, value, n, task);
}

void StudyDatabase::add_challenge(const std::string& cell, const std::vector<double>& values,
                                  int64_t n, const std::string& weights) {
  const char* sets[] = {"original", "only_bg_b", "only_fg", "mixed_same", "mixed_rand"};
  for (size_t i = 0; i < values.size(); ++i) add_figure(cell, sets[i], values[i], n, weights);
}

Json StudyDatabase::import_dataset(const std::string& name, const std::string& kind,
                                   const std::map<std::string, int64_t>& splits) {
  const Json manifest = {{"format", 1},
                         {"name", name},
                         {"made_by", {{"import", kind}}},
                         {"classes", {"a", "b"}},
                         {"image_size", 0},
                         {"mean", {0, 0, 0}},
                         {"deviation", {1, 1, 1}},
                         {"splits", splits},
                         {"content_sha256", name}};
  write_file_atomic(folder() / "datasets" / name / "manifest.json", manifest.dump());
  return write_value(experiments::imported_spec(manifest));
}

}  // namespace remixer::reports
