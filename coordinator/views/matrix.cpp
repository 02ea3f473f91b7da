// SPDX-License-Identifier: Apache-2.0
// The cells of a grid as a table: models as rows, labelers as columns.
#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>

#include "coordinator/views/cell_state.h"
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
  answers::SeedMean over_seeds(const Sample* plain) const {
    const auto n = static_cast<double>(values.size());
    double squares = 0;
    for (const double value : values) squares += (value - mean()) * (value - mean());
    return {
        .mean = mean(),
        .deviation = values.size() > 1 ? std::optional(std::sqrt(squares / (n - 1))) : std::nullopt,
        .seeds = static_cast<int64_t>(values.size()),
        .gain = plain ? std::optional(mean() - plain->mean()) : std::nullopt};
  }
};

// Summary of the cells in one entry of the table.
struct Place {
  std::vector<std::string> cells;
  answers::CellCounts states;
  int64_t tasks = 0, tasks_done = 0;
  std::map<std::string, Sample> figures;  // by evaluation set
};

struct Cells {
  std::vector<answers::MatrixRow> rows;
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

int64_t& count_of(answers::CellCounts& counts, CellState state) {
  switch (state) {
    case CellState::kWaiting:
      return counts.waiting;
    case CellState::kRunning:
      return counts.running;
    case CellState::kDone:
      return counts.done;
    case CellState::kFailed:
      break;
  }
  return counts.failed;
}

void read_cells(SQLite::Database& database, int64_t grid, Cells& cells) {
  SQLite::Statement rows(
      database,
      "SELECT c.cell_id, c.architecture, c.spatial_prior, c.train_set, c.recipe, c.labeler"
      " FROM grid_cells g JOIN cells c ON c.cell_id = g.cell_id WHERE g.grid_id = ?"
      " ORDER BY g.position");
  rows.bind(1, grid);
  while (rows.executeStep()) {
    const auto text = [&](int column) { return rows.getColumn(column).getString(); };
    const size_t row = index_of(cells.rows, answers::MatrixRow{text(1), text(2), text(3), text(4)});
    Place& place = cells.places[{row, index_of(cells.columns, text(5))}];
    place.cells.push_back(text(0));
    cells.of_cell[text(0)] = &place;
  }
}

void read_states(SQLite::Database& database, int64_t grid, Cells& cells) {
  SQLite::Statement rows(database,
                         "SELECT cell_id, count(*), sum(state = 'done'), sum(state = 'running'),"
                         " sum(state IN ('failed', 'blocked', 'cancelled')) FROM grid_tasks"
                         " WHERE grid_id = ? AND cell_id IS NOT NULL GROUP BY cell_id");
  rows.bind(1, grid);
  while (rows.executeStep()) {
    const auto found = cells.of_cell.find(rows.getColumn(0).getString());
    if (found == cells.of_cell.end()) continue;
    const auto number = [&](int column) { return rows.getColumn(column).getInt64(); };
    ++count_of(found->second->states, cell_state(number(1), number(2), number(3), number(4)));
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

void read_figures(SQLite::Database& database, const MatrixQuestion& question, Cells& cells) {
  SQLite::Statement rows(
      database,
      "SELECT r.cell_id, r.eval_set, r.value FROM grid_cells g JOIN results r"
      " ON r.cell_id = g.cell_id WHERE g.grid_id = ? AND r.metric = ? AND r.weights = ?");
  rows.bind(1, question.grid);
  rows.bind(2, question.metric);
  rows.bind(3, question.weights);
  std::map<std::string, std::map<std::string, double>> of_cell;  // figures of each cell by set
  while (rows.executeStep()) {
    const auto found = cells.of_cell.find(rows.getColumn(0).getString());
    if (found == cells.of_cell.end()) continue;
    of_cell[found->first][rows.getColumn(1).getString()] = rows.getColumn(2).getDouble();
  }
  for (auto& [cell, figures] : of_cell) {
    add_gaps(figures);
    for (const auto& [set, value] : figures) {
      index_of(cells.sets, set);
      cells.of_cell[cell]->figures[set].values.push_back(value);
    }
  }
}

// Figures of the same set for the row's model without labels; null if there is none.
const Sample* plain_of(const Cells& cells, const std::pair<size_t, size_t>& at,
                       const std::string& set) {
  const auto plain = std::find(cells.columns.begin(), cells.columns.end(), "none");
  if (plain == cells.columns.end()) return nullptr;
  const auto column = static_cast<size_t>(plain - cells.columns.begin());
  const auto place = cells.places.find({at.first, column});
  if (column == at.second || place == cells.places.end()) return nullptr;
  const auto sample = place->second.figures.find(set);
  return sample == place->second.figures.end() ? nullptr : &sample->second;
}

answers::MatrixPlace place_view(const std::pair<size_t, size_t>& at, const Place& place,
                                const Cells& cells) {
  constexpr size_t kNamedCells = 20;
  answers::MatrixPlace shown;
  shown.row = static_cast<int64_t>(at.first);
  shown.labeler = cells.columns[at.second];
  shown.cells = static_cast<int64_t>(place.cells.size());
  shown.cell_ids.assign(
      place.cells.begin(),
      place.cells.begin() + static_cast<std::ptrdiff_t>(std::min(kNamedCells, place.cells.size())));
  shown.states = place.states;
  shown.tasks = place.tasks;
  shown.tasks_done = place.tasks_done;
  for (const auto& [set, sample] : place.figures) {
    shown.figures[set] = sample.over_seeds(plain_of(cells, at, set));
  }
  return shown;
}

}  // namespace

answers::Matrix DatabaseViews::matrix(const MatrixQuestion& question) {
  Cells cells;
  read_cells(*database_, question.grid, cells);
  read_states(*database_, question.grid, cells);
  read_figures(*database_, question, cells);
  answers::Matrix matrix;
  matrix.grid_id = question.grid;
  matrix.metric = question.metric;
  matrix.weights = question.weights;
  matrix.rows = cells.rows;
  matrix.labelers = cells.columns;
  matrix.eval_sets = cells.sets;
  std::sort(matrix.eval_sets.begin(), matrix.eval_sets.end());
  matrix.lower_is_better = lower_ones(matrix.eval_sets);
  for (const auto& [at, place] : cells.places) {
    matrix.places.push_back(place_view(at, place, cells));
  }
  return matrix;
}

}  // namespace remixer::coordinator
