// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/answers.h"

#include "base/object_reader.h"
#include "experiments/protocol/fields.h"

namespace remixer::experiments::protocol::answers {

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
void describe(V& v, FieldsOf<V, Log>& m) {
  v("task_id", m.task_id);
  v("attempt", m.attempt);
  v("text", m.text);
  v("from", m.from);
  v("next", m.next);
  v("size", m.size);
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
Json to_json(const Log& value) {
  return ObjectWriter::write(value);
}

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

}  // namespace remixer::experiments::protocol::answers
