// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/analysis_answers.h"

#include "base/object_reader.h"
#include "experiments/protocol/fields.h"

namespace remixer::experiments::protocol::answers {

Json write_value(const Point& point) {
  return Json::array({point.step, point.epoch, point.value ? Json(*point.value) : Json()});
}

template <typename V>
void describe(V& v, FieldsOf<V, CellCounts>& m) {
  v("done", m.done);
  v("failed", m.failed);
  v("running", m.running);
  v("waiting", m.waiting);
}

template <typename V>
void describe(V& v, FieldsOf<V, SeedMean>& m) {
  v("mean", m.mean);
  v("deviation", m.deviation);
  v("seeds", m.seeds);
  v("gain", m.gain);
}

template <typename V>
void describe(V& v, FieldsOf<V, MatrixRow>& m) {
  v("architecture", m.architecture);
  v("spatial_prior", m.spatial_prior);
  v("train_set", m.train_set);
  v("recipe", m.recipe);
}

template <typename V>
void describe(V& v, FieldsOf<V, MatrixPlace>& m) {
  v("row", m.row);
  v("labeler", m.labeler);
  v("cells", m.cells);
  v("cell_ids", m.cell_ids);
  v("states", m.states);
  v("tasks", m.tasks);
  v("tasks_done", m.tasks_done);
  v("figures", m.figures);
}

template <typename V>
void describe(V& v, FieldsOf<V, Matrix>& m) {
  v("grid_id", m.grid_id);
  v("metric", m.metric);
  v("weights", m.weights);
  v("rows", m.rows);
  v("labelers", m.labelers);
  v("eval_sets", m.eval_sets);
  v("lower_is_better", m.lower_is_better);
  v("places", m.places);
}

template <typename V>
void describe(V& v, FieldsOf<V, RunCurve>& m) {
  v("task_id", m.task_id);
  v("state", m.state);
  v("cell_id", m.cell_id);
  v("architecture", m.architecture);
  v("spatial_prior", m.spatial_prior);
  v("labeler", m.labeler);
  v("train_set", m.train_set);
  v("recipe", m.recipe);
  v("seed", m.seed);
  v("points", m.points);
}

template <typename V>
void describe(V& v, FieldsOf<V, Curves>& m) {
  v("grid_id", m.grid_id);
  v("name", m.name);
  v("names", m.names);
  v("more", m.more);
  v("series", m.series);
}

template <typename V>
void describe(V& v, FieldsOf<V, MetricCurve>& m) {
  v("name", m.name);
  v("points", m.points);
}

template <typename V>
void describe(V& v, FieldsOf<V, TaskMetrics>& m) {
  v("task_id", m.task_id);
  v("series", m.series);
}

template <typename V>
void describe(V& v, FieldsOf<V, ComparedCell>& m) {
  v("cell_id", m.cell_id);
  v("seed", m.seed);
  v("task_id", m.task_id);
  v("architecture", m.architecture);
  v("spatial_prior", m.spatial_prior);
  v("labeler", m.labeler);
  v("train_set", m.train_set);
  v("recipe", m.recipe);
  v("figures", m.figures);
}

template <typename V>
void describe(V& v, FieldsOf<V, Difference>& m) {
  v("name", m.name);
  v("values", m.values);
}

template <typename V>
void describe(V& v, FieldsOf<V, Comparison>& m) {
  v("cells", m.cells);
  v("lower_is_better", m.lower_is_better);
  v("differences", m.differences);
  v("environment_differences", m.environment_differences);
}

Json to_json(const Matrix& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Curves& value) {
  return ObjectWriter::write(value);
}
Json to_json(const TaskMetrics& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Comparison& value) {
  return ObjectWriter::write(value);
}
template <>
Matrix from_json(const Json& json) {
  return read_answer<Matrix>(json, "matrix");
}

}  // namespace remixer::experiments::protocol::answers
