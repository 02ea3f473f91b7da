// SPDX-License-Identifier: Apache-2.0
// The daemon's answers about figures and curves, from the database's views; see answers.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "experiments/protocol/messages.h"

namespace remixer::experiments::protocol::answers {

struct CellCounts {
  int64_t done = 0, failed = 0, running = 0, waiting = 0;
};
// A figure over seeds.
struct SeedMean {
  double mean = 0;
  std::optional<double> deviation;  // of several seeds
  int64_t seeds = 0;
  std::optional<double> gain;  // over the mean of the row's cells without labels
};
struct MatrixRow {
  std::string architecture, spatial_prior, train_set, recipe;
  bool operator==(const MatrixRow&) const = default;
};
struct MatrixPlace {
  int64_t row = 0;
  std::string labeler;
  int64_t cells = 0;
  std::vector<std::string> cell_ids;  // the first ones
  CellCounts states;
  int64_t tasks = 0, tasks_done = 0;
  std::map<std::string, SeedMean> figures;  // by evaluation set
};
struct Matrix {
  int64_t grid_id = 0;
  std::string metric, weights;
  std::vector<MatrixRow> rows;
  std::vector<std::string> labelers, eval_sets;
  std::vector<std::string> lower_is_better;  // of the evaluation sets
  std::vector<MatrixPlace> places;
};

// In JSON [step, epoch, value].
struct Point {
  int64_t step = 0;
  double epoch = 0;
  std::optional<double> value;  // nothing: not finite
};
// One metric of a training run.
struct RunCurve {
  std::string task_id, state, cell_id, architecture, spatial_prior, labeler, train_set, recipe;
  int64_t seed = 0;
  std::vector<Point> points;
};
struct Curves {
  int64_t grid_id = 0;
  std::string name;
  std::vector<std::string> names;  // what these runs report
  bool more = false;               // there are more runs
  std::vector<RunCurve> series;
};
struct MetricCurve {
  std::string name;
  std::vector<Point> points;
};
struct TaskMetrics {
  std::string task_id;
  std::vector<MetricCurve> series;
};

struct ComparedCell {
  std::string cell_id;
  int64_t seed = 0;
  std::optional<std::string> task_id;  // of its training
  std::string architecture, spatial_prior, labeler, train_set, recipe;
  std::vector<Figure> figures;
};
struct Difference {
  std::string name;          // dotted: "recipe.kappa_lr"
  std::vector<Json> values;  // one a cell; null if the cell has none
};
struct Comparison {
  std::vector<ComparedCell> cells;
  std::vector<std::string> lower_is_better;
  std::vector<Difference> differences, environment_differences;
};

// As in answers.h.
Json to_json(const Matrix& value);
Json to_json(const Curves& value);
Json to_json(const TaskMetrics& value);
Json to_json(const Comparison& value);
template <typename T>
T from_json(const Json& json);
template <>
Matrix from_json(const Json& json);

}  // namespace remixer::experiments::protocol::answers
