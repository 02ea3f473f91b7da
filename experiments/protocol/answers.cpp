// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/answers.h"

#include "base/object_reader.h"
#include "experiments/protocol/fields.h"

namespace remixer::experiments::protocol::answers {
namespace {

constexpr EnumNames<Garbage, 5> kGarbage{{
    {Garbage::kRemoved, "removed"},
    {Garbage::kSuperseded, "superseded"},
    {Garbage::kRefused, "refused"},
    {Garbage::kStuck, "stuck"},
    {Garbage::kUnknown, "unknown"},
}};

}  // namespace

std::string_view to_string(Garbage garbage) {
  return enum_text(kGarbage, garbage);
}
Json write_value(Garbage garbage) {
  return std::string(to_string(garbage));
}
void read_value(const Json& json, const Place& place, Garbage& garbage) {
  read_enum(kGarbage, json, place, garbage);
}

Json write_value(const Point& point) {
  return Json::array({point.step, point.epoch, point.value ? Json(*point.value) : Json()});
}

std::optional<double> Running::metric(const std::string& name) const {
  const auto found = metrics.find(name);
  return found == metrics.end() ? std::nullopt : found->second;
}

template <typename V>
void describe(V& v, FieldsOf<V, TaskCounts>& m) {
  v("waiting", m.waiting);
  v("ready", m.ready);
  v("running", m.running);
  v("done", m.done);
  v("failed", m.failed);
  v("blocked", m.blocked);
  v("cancelled", m.cancelled);
}

template <typename V>
void describe(V& v, FieldsOf<V, KindCounts>& m) {
  v("total", m.total);
  v("done", m.done);
  v("running", m.running);
  v("failed", m.failed);
}

template <typename V>
void describe(V& v, FieldsOf<V, Grid>& m) {
  v("id", m.id);
  v("name", m.name);
  v("description", m.description);
  v("submitted_at", m.submitted_at);
  v("state", m.state);
  v("settings", m.settings);
  v("cells", m.cells);
  v("cells_done", m.cells_done);
  v("cells_failed", m.cells_failed);
  v("tasks", m.tasks);
  v("states", m.states);
  v("kinds", m.kinds);
  v("fraction", m.fraction);
  v("seconds_left", m.seconds_left);
  v("ended_at", m.ended_at);
}

template <typename V>
void describe(V& v, FieldsOf<V, GridList>& m) {
  v("grids", m.grids);
}

template <typename V>
void describe(V& v, FieldsOf<V, Cell>& m) {
  v("position", m.position);
  v("cell_id", m.cell_id);
  v("architecture", m.architecture);
  v("spatial_prior", m.spatial_prior);
  v("labeler", m.labeler);
  v("train_set", m.train_set);
  v("recipe", m.recipe);
  v("seed", m.seed);
  v("state", m.state);
  v("tasks", m.tasks);
  v("tasks_done", m.tasks_done);
  v("reason", m.reason);
  v("figures", m.figures);
}

template <typename V>
void describe(V& v, FieldsOf<V, GridDetail>& m) {
  describe(v, static_cast<FieldsOf<V, Grid>&>(m));
  v("cell_list", m.cell_list);
  v("next", m.next);
}

template <typename V>
void describe(V& v, FieldsOf<V, TaskBasics>& m) {
  v("task_id", m.task_id);
  v("kind", m.kind);
  v("cell_id", m.cell_id);
  v("title", m.title);
  v("state", m.state);
  v("reason", m.reason);
  v("hopeless", m.hopeless);
  v("grids", m.grids);
  v("folder", m.folder);
}

template <typename V>
void describe(V& v, FieldsOf<V, TaskSummary>& m) {
  describe(v, static_cast<FieldsOf<V, TaskBasics>&>(m));
  v("attempts", m.attempts);
}

template <typename V>
void describe(V& v, FieldsOf<V, TaskList>& m) {
  v("tasks", m.tasks);
  v("next", m.next);
}

template <typename V>
void describe(V& v, FieldsOf<V, TaskLink>& m) {
  v("task_id", m.task_id);
  v("title", m.title);
  v("state", m.state);
}

template <typename V>
void describe(V& v, FieldsOf<V, Attempt>& m) {
  v("attempt", m.attempt);
  v("fence", m.fence);
  v("state", m.state);
  v("worker", m.worker);
  v("started_at", m.started_at);
  v("ended_at", m.ended_at);
  v("reason", m.reason);
  v("folder", m.folder);
  v("step", m.step);
  v("total_steps", m.total_steps);
}

template <typename V>
void describe(V& v, FieldsOf<V, Environment>& m) {
  v("attempt", m.attempt);
  v("worker", m.worker);
  v("ranks", m.ranks);
  v("device", m.device);
  v("version", m.version);
  v("environment", m.environment);
}

template <typename V>
void describe(V& v, FieldsOf<V, TaskDetail>& m) {
  describe(v, static_cast<FieldsOf<V, TaskBasics>&>(m));
  v("spec", m.spec);
  v("result", m.result);
  v("figures", m.figures);
  v("dependencies", m.dependencies);
  v("dependants", m.dependants);
  v("next", m.next);
  v("explanation", m.explanation);
  v("failures", m.failures);
  v("crashes", m.crashes);
  v("attempts", m.attempts);
  v.optional("environments", m.environments, std::nullopt);
}

template <typename V>
void describe(V& v, FieldsOf<V, Running>& m) {
  v("task_id", m.task_id);
  v("kind", m.kind);
  v("cell_id", m.cell_id);
  v("title", m.title);
  v("attempt", m.attempt);
  v("fence", m.fence);
  v("worker", m.worker);
  v("worker_id", m.worker_id);
  v("folder", m.folder);
  v("step", m.step);
  v("total_steps", m.total_steps);
  v("activity", m.activity);
  v("started_at", m.started_at);
  v("seconds", m.seconds);
  v("seconds_left", m.seconds_left);
  v("last_heartbeat_seconds", m.last_heartbeat_seconds);
  v("metrics", m.metrics);
  v("grids", m.grids);
}

template <typename V>
void describe(V& v, FieldsOf<V, FailedTask>& m) {
  v("task_id", m.task_id);
  v("kind", m.kind);
  v("cell_id", m.cell_id);
  v("title", m.title);
  v("attempt", m.attempt);
  v("reason", m.reason);
  v("ended_at", m.ended_at);
  v("log", m.log);
  v("grids", m.grids);
}

template <typename V>
void describe(V& v, FieldsOf<V, FinishedTask>& m) {
  v("task_id", m.task_id);
  v("kind", m.kind);
  v("cell_id", m.cell_id);
  v("title", m.title);
  v("ended_at", m.ended_at);
  v("seconds", m.seconds);
  v("figures", m.figures);
  v("grids", m.grids);
}

template <typename V>
void describe(V& v, FieldsOf<V, Worker>& m) {
  v("worker_id", m.worker_id);
  v("name", m.name);
  v("host", m.host);
  v("pid", m.pid);
  v("ranks", m.ranks);
  v("device", m.device);
  v("version", m.version);
  v("state", m.state);
  v("task_id", m.task_id);
  v("last_seen_seconds", m.last_seen_seconds);
}

template <typename V>
void describe(V& v, FieldsOf<V, WorkerList>& m) {
  v("workers", m.workers);
}

template <typename V>
void describe(V& v, FieldsOf<V, Ping>& m) {
  v("version", m.version);
  v("pid", m.pid);
  v("host", m.host);
  v("workspace", m.workspace);
  v("stopping", m.stopping);
}

template <typename V>
void describe(V& v, FieldsOf<V, Launcher>& m) {
  v("workers", m.workers);
  v("alive", m.alive);
  v("problem", m.problem);
}

template <typename V>
void describe(V& v, FieldsOf<V, Allocation>& m) {
  v("id", m.id);
  v("state", m.state);
  v("waiting", m.waiting);
  v("reason", m.reason);
  v("nodes", m.nodes);
  v("start", m.start);
  v("end", m.end);
  v("workers", m.workers);
  v("running", m.running);
  v("log", m.log);
}

template <typename V>
void describe(V& v, FieldsOf<V, Slurm>& m) {
  v("wanted", m.wanted);
  v("name", m.name);
  v("paused", m.paused);
  v("problem", m.problem);
  v("why", m.why);
  v("maximum", m.maximum);
  v("backlog", m.backlog);
  v("allocations", m.allocations);
}

template <typename V>
void describe(V& v, FieldsOf<V, Site>& m) {
  v("problem", m.problem);
}

template <typename V>
void describe(V& v, FieldsOf<V, Status>& m) {
  v("now", m.now);
  v("stopping", m.stopping);
  v("revision", m.revision);
  v("grace_seconds", m.grace_seconds);
  v("grids", m.grids);
  v("running", m.running);
  v("failures", m.failures);
  v("finished", m.finished);
  v("workers", m.workers);
  v("site", m.site);
  v.optional("version", m.version, std::nullopt);
  v.optional("pid", m.pid, std::nullopt);
  v.optional("host", m.host, std::nullopt);
  v.optional("workspace", m.workspace, std::nullopt);
  v.optional("started_at", m.started_at, std::nullopt);
  v.optional("launcher", m.launcher, std::nullopt);
  v.optional("slurm", m.slurm, std::nullopt);
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

template <typename V>
void describe(V& v, FieldsOf<V, Log>& m) {
  v("task_id", m.task_id);
  v("attempt", m.attempt);
  v("text", m.text);
  v("from", m.from);
  v("next", m.next);
  v("size", m.size);
}

template <typename V>
void describe(V& v, FieldsOf<V, Changed>& m) {
  v("tasks", m.tasks);
}

template <typename V>
void describe(V& v, FieldsOf<V, Collected::Item>& m) {
  v("path", m.path);
  v("why", m.why);
  v("bytes", m.bytes);
  v("task", m.task);
}

template <typename V>
void describe(V& v, FieldsOf<V, Collected>& m) {
  v("items", m.items);
  v("used_bytes", m.used_bytes);
  v("freed_bytes", m.freed_bytes);
  v("quota_bytes", m.quota_bytes);
  v("unknown_folders", m.unknown_folders);
  v("unknown_bytes", m.unknown_bytes);
  v("dry_run", m.dry_run);
}

template <typename V>
void describe(V& v, FieldsOf<V, Adopted::Refused>& m) {
  v("folder", m.folder);
  v("why", m.why);
}

template <typename V>
void describe(V& v, FieldsOf<V, Adopted>& m) {
  v("tasks", m.tasks);
  v("done", m.done);
  v("adopted", m.adopted);
  v("refused", m.refused);
}

Json to_json(const Grid& value) {
  return ObjectWriter::write(value);
}
Json to_json(const GridList& value) {
  return ObjectWriter::write(value);
}
Json to_json(const GridDetail& value) {
  return ObjectWriter::write(value);
}
Json to_json(const TaskSummary& value) {
  return ObjectWriter::write(value);
}
Json to_json(const TaskList& value) {
  return ObjectWriter::write(value);
}
Json to_json(const TaskDetail& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Environment& value) {
  return ObjectWriter::write(value);
}
Json to_json(const WorkerList& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Ping& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Slurm& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Status& value) {
  return ObjectWriter::write(value);
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
Json to_json(const Log& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Changed& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Collected& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Adopted& value) {
  return ObjectWriter::write(value);
}

namespace {

template <typename T>
T read_answer(const Json& json, const char* what) {
  T value;
  LenientReader::read(json, what, value);
  return value;
}

}  // namespace

template <>
GridList from_json(const Json& json) {
  return read_answer<GridList>(json, "grids");
}
template <>
GridDetail from_json(const Json& json) {
  return read_answer<GridDetail>(json, "grid");
}
template <>
TaskList from_json(const Json& json) {
  return read_answer<TaskList>(json, "tasks");
}
template <>
TaskDetail from_json(const Json& json) {
  return read_answer<TaskDetail>(json, "task");
}
template <>
Ping from_json(const Json& json) {
  return read_answer<Ping>(json, "ping");
}
template <>
Slurm from_json(const Json& json) {
  return read_answer<Slurm>(json, "slurm");
}
template <>
Status from_json(const Json& json) {
  return read_answer<Status>(json, "status");
}
template <>
Matrix from_json(const Json& json) {
  return read_answer<Matrix>(json, "matrix");
}
template <>
Changed from_json(const Json& json) {
  return read_answer<Changed>(json, "answer");
}
template <>
Collected from_json(const Json& json) {
  return read_answer<Collected>(json, "answer");
}
template <>
Adopted from_json(const Json& json) {
  return read_answer<Adopted>(json, "answer");
}

}  // namespace remixer::experiments::protocol::answers
