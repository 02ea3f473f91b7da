// SPDX-License-Identifier: Apache-2.0
// The cells of a grid as a table: models as rows, labelers as columns.
#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>

#include "coordinator/views/database_views.h"
#include "coordinator/views/eval_sets.h"

namespace remixer::coordinator {
namespace {

// Values over seeds.
struct Sample {
  std::vector<double> values;

  double mean() const {
    double mean = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    return mean;
  }
  // `plain`: the same set's values for the row's model without labels; null if there is none.
  Json json(const Sample* plain) const {
    const auto n = static_cast<double>(values.size());
    double squares = 0;
    for (const double value : values) squares += (value - mean()) * (value - mean());
    return {{"mean", mean()},
            {"deviation", values.size() > 1 ? Json(std::sqrt(squares / (n - 1))) : Json()},
            {"seeds", values.size()},
            {"gain", plain ? Json(mean() - plain->mean()) : Json()}};
  }
};

// Summary of the cells in one entry of the table.
struct Place {
  std::vector<std::string> cells;
  std::map<std::string, int64_t> states{{"done", 0}, {"failed", 0}, {"running", 0}, {"waiting", 0}};
  int64_t tasks = 0, tasks_done = 0;
  std::map<std::string, Sample> figures;  // by evaluation set
};

using Model = std::tuple<std::string, std::string, std::string, std::string>;

struct Matrix {
  std::vector<Model> rows;
  std::vector<std::string> columns, sets;
  std::map<std::pair<size_t, size_t>, Place> places;
  std::unordered_map<std::string, Place*> of_cell;
};

// Index of `value` in `list`; appends it if it is new.
template <typename T>
size_t index_of(std::vector<T>& list, const T& value) {
  const auto found = std::find(list.begin(), list.end(), value);
  if (found != list.end()) return static_cast<size_t>(found - list.begin());
  list.push_back(value);
  return list.size() - 1;
}

std::string state_of(int64_t tasks, int64_t done, int64_t running, int64_t stuck) {
  if (done == tasks) return "done";
  if (stuck > 0) return "failed";
  return running > 0 || done > 0 ? "running" : "waiting";
}

void read_cells(SQLite::Database& database, int64_t grid, Matrix& matrix) {
  SQLite::Statement rows(
      database,
      "SELECT c.cell_id, c.architecture, c.spatial_prior, c.train_set, c.recipe, c.labeler"
      " FROM grid_cells g JOIN cells c ON c.cell_id = g.cell_id WHERE g.grid_id = ?"
      " ORDER BY g.position");
  rows.bind(1, grid);
  while (rows.executeStep()) {
    const auto text = [&](int column) { return rows.getColumn(column).getString(); };
    const size_t row = index_of(matrix.rows, Model{text(1), text(2), text(3), text(4)});
    Place& place = matrix.places[{row, index_of(matrix.columns, text(5))}];
    place.cells.push_back(text(0));
    matrix.of_cell[text(0)] = &place;
  }
}

void read_states(SQLite::Database& database, int64_t grid, Matrix& matrix) {
  SQLite::Statement rows(database,
                         "SELECT cell_id, count(*), sum(state = 'done'), sum(state = 'running'),"
                         " sum(state IN ('failed', 'blocked', 'cancelled')) FROM grid_tasks"
                         " WHERE grid_id = ? AND cell_id IS NOT NULL GROUP BY cell_id");
  rows.bind(1, grid);
  while (rows.executeStep()) {
    const auto found = matrix.of_cell.find(rows.getColumn(0).getString());
    if (found == matrix.of_cell.end()) continue;
    const auto number = [&](int column) { return rows.getColumn(column).getInt64(); };
    ++found->second->states[state_of(number(1), number(2), number(3), number(4))];
    found->second->tasks += number(1);
    found->second->tasks_done += number(2);
  }
}

// BG-Gap for every data set of which both sets were evaluated.
void add_gaps(std::map<std::string, double>& figures) {
  std::map<std::string, double> gaps;
  for (const auto& [set, value] : figures) {
    if (split_of(set) != kMixedSame) continue;
    const auto mixed = figures.find(with_split(set, kMixedRand));
    if (mixed != figures.end()) gaps[with_split(set, kGap)] = value - mixed->second;
  }
  figures.merge(gaps);
}

void read_figures(SQLite::Database& database, const MatrixQuestion& question, Matrix& matrix) {
  SQLite::Statement rows(
      database,
      "SELECT r.cell_id, r.eval_set, r.value FROM grid_cells g JOIN results r"
      " ON r.cell_id = g.cell_id WHERE g.grid_id = ? AND r.metric = ? AND r.weights = ?");
  rows.bind(1, question.grid);
  rows.bind(2, question.metric);
  rows.bind(3, question.weights);
  std::map<std::string, std::map<std::string, double>> of_cell;  // figures of each cell by set
  while (rows.executeStep()) {
    const auto found = matrix.of_cell.find(rows.getColumn(0).getString());
    if (found == matrix.of_cell.end()) continue;
    of_cell[found->first][rows.getColumn(1).getString()] = rows.getColumn(2).getDouble();
  }
  for (auto& [cell, figures] : of_cell) {
    add_gaps(figures);
    for (const auto& [set, value] : figures) {
      index_of(matrix.sets, set);
      matrix.of_cell[cell]->figures[set].values.push_back(value);
    }
  }
}

// Figures of the same set for the row's model without labels; null if there is none.
const Sample* plain_of(const Matrix& matrix, const std::pair<size_t, size_t>& at,
                       const std::string& set) {
  const auto plain = std::find(matrix.columns.begin(), matrix.columns.end(), "none");
  if (plain == matrix.columns.end()) return nullptr;
  const auto column = static_cast<size_t>(plain - matrix.columns.begin());
  const auto place = matrix.places.find({at.first, column});
  if (column == at.second || place == matrix.places.end()) return nullptr;
  const auto sample = place->second.figures.find(set);
  return sample == place->second.figures.end() ? nullptr : &sample->second;
}

Json place_json(const std::pair<size_t, size_t>& at, const Place& place, const Matrix& matrix) {
  constexpr size_t kNamedCells = 20;
  Json figures = Json::object();
  for (const auto& [set, sample] : place.figures)
    figures[set] = sample.json(plain_of(matrix, at, set));
  std::vector<std::string> named(
      place.cells.begin(),
      place.cells.begin() + static_cast<std::ptrdiff_t>(std::min(kNamedCells, place.cells.size())));
  return {{"row", at.first},
          {"labeler", matrix.columns[at.second]},
          {"cells", place.cells.size()},
          {"cell_ids", std::move(named)},
          {"states", place.states},
          {"tasks", place.tasks},
          {"tasks_done", place.tasks_done},
          {"figures", std::move(figures)}};
}

}  // namespace

Json DatabaseViews::matrix(const MatrixQuestion& question) {
  Matrix matrix;
  read_cells(*database_, question.grid, matrix);
  read_states(*database_, question.grid, matrix);
  read_figures(*database_, question, matrix);
  Json rows = Json::array(), places = Json::array();
  for (const auto& [architecture, prior, train_set, recipe] : matrix.rows) {
    rows.push_back({{"architecture", architecture},
                    {"spatial_prior", prior},
                    {"train_set", train_set},
                    {"recipe", recipe}});
  }
  for (const auto& [at, place] : matrix.places) places.push_back(place_json(at, place, matrix));
  std::sort(matrix.sets.begin(), matrix.sets.end());
  return {{"grid_id", question.grid},
          {"metric", question.metric},
          {"weights", question.weights},
          {"rows", std::move(rows)},
          {"labelers", matrix.columns},
          {"eval_sets", matrix.sets},
          {"lower_is_better", lower_ones(matrix.sets)},
          {"places", std::move(places)}};
}

}  // namespace remixer::coordinator
