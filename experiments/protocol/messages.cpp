// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/messages.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/object_reader.h"
#include "experiments/protocol/fields.h"

namespace remixer::experiments {

// JSON of cells, tasks and kinds inside messages, found by argument-dependent lookup.
Json write_value(const Cell& cell) {
  return to_json(cell);
}
Json write_value(const Task& task) {
  return to_json(task);
}
Json write_value(TaskKind kind) {
  return std::string(to_string(kind));
}
void read_value(const Json& json, const Place&, Cell& cell) {
  cell = cell_from_json(json);
}
void read_value(const Json& json, const Place&, Task& task) {
  task = task_from_json(json, true);
}
void read_value(const Json& json, const Place& place, TaskKind& kind) {
  std::string text;
  read_value(json, place, text);
  kind = task_kind_from_string(text);
}

namespace protocol {
namespace {

constexpr EnumNames<Order, 3> kOrders{{
    {Order::kContinue, "continue"},
    {Order::kStop, "stop"},
    {Order::kAbandon, "abandon"},
}};
constexpr EnumNames<Ending, 6> kEndings{{
    {Ending::kDone, "done"},
    {Ending::kReleased, "released"},
    {Ending::kFailed, "failed"},
    {Ending::kBadInput, "bad_input"},
    {Ending::kOutOfMemory, "out_of_memory"},
    {Ending::kNoSpace, "no_space"},
}};

}  // namespace

std::string_view to_string(Order order) {
  return enum_text(kOrders, order);
}
std::string_view to_string(Ending ending) {
  return enum_text(kEndings, ending);
}

Json write_value(Order order) {
  return std::string(to_string(order));
}
Json write_value(Ending ending) {
  return std::string(to_string(ending));
}
void read_value(const Json& json, const Place& place, Order& order) {
  read_enum(kOrders, json, place, order);
}
void read_value(const Json& json, const Place& place, Ending& ending) {
  read_enum(kEndings, json, place, ending);
}

template <typename V>
void describe(V& v, FieldsOf<V, RegisterWorker>& m) {
  v("name", m.name);
  v("host", m.host);
  v("pid", m.pid);
  v("ranks", m.ranks);
  v("device", m.device);
  v("boot_id", m.boot_id);
  v("version", m.version);
  v("environment", m.environment);
  v.optional("gpus", m.gpus, int64_t{0});
  v.optional("ends_at", m.ends_at, 0.0);
  v.optional("pid_namespace", m.pid_namespace, std::string());
  v.optional("started", m.started, int64_t{0});
}

template <typename V>
void describe(V& v, FieldsOf<V, WorkerRegistered>& m) {
  v("worker_id", m.worker_id);
  v("lease_seconds", m.lease_seconds);
  v("heartbeat_seconds", m.heartbeat_seconds);
  v("workspace", m.workspace);
}

template <typename V>
void describe(V& v, FieldsOf<V, TaskInput>& m) {
  v("task_id", m.task_id);
  v("kind", m.kind);
  v("spec", m.spec);
  v("result", m.result);
}

template <typename V>
void describe(V& v, FieldsOf<V, Assignment>& m) {
  v("task_id", m.task_id);
  v("task", m.task);
  v("attempt", m.attempt);
  v("fence", m.fence);
  v("folder", m.folder);
  v("previous", m.previous);
  v.optional("results_from", m.results_from, int64_t{1});
  v("inputs", m.inputs);
  v("cell", m.cell);
}

template <typename V>
void describe(V& v, FieldsOf<V, MetricPoint>& m) {
  v("step", m.step);
  v("epoch", m.epoch);
  v("name", m.name);
  v.number_or_nan("value", m.value);  // a diverged loss must still be reported
}

template <typename V>
void describe(V& v, FieldsOf<V, Heartbeat>& m) {
  v("worker_id", m.worker_id);
  v("task_id", m.task_id);
  v("attempt", m.attempt);
  v("fence", m.fence);
  v("step", m.step);
  v("total_steps", m.total_steps);
  v("activity", m.activity);
  v("metrics", m.metrics);
}

template <typename V>
void describe(V& v, FieldsOf<V, HeartbeatReply>& m) {
  v("order", m.order);
}

template <typename V>
void describe(V& v, FieldsOf<V, Publication>& m) {
  v("from", m.from);
  v("to", m.to);
}

template <typename V>
void describe(V& v, FieldsOf<V, AttemptResult>& m) {
  v("worker_id", m.worker_id);
  v("task_id", m.task_id);
  v("attempt", m.attempt);
  v("fence", m.fence);
  v("ending", m.ending);
  v("reason", m.reason);
  v("result", m.result);
  v("figures", m.figures);
  v("metrics", m.metrics);
  v("publish", m.publish);
}

template <typename V>
void describe(V& v, FieldsOf<V, ResultReply>& m) {
  v("accepted", m.accepted);
  v("reason", m.reason);
}

template <typename V>
void describe(V& v, FieldsOf<V, Claim>& m) {
  v("worker_id", m.worker_id);
  v.optional("result", m.result, {});
}

template <typename V>
void describe(V& v, FieldsOf<V, ClaimReply>& m) {
  v("assignment", m.assignment);
  v("retry_seconds", m.retry_seconds);
  v("exit", m.exit);
  v.optional("result", m.result, {});
}

template <typename V>
void describe(V& v, FieldsOf<V, SubmitGrid>& m) {
  v("name", m.name);
  v("description", m.description);
  v("text", m.text);
  v("cells", m.cells);
  v("tasks", m.tasks);
  v.optional("settings", m.settings, {});
}

template <typename V>
void describe(V& v, FieldsOf<V, GridSubmitted>& m) {
  v("grid_id", m.grid_id);
  v("cells", m.cells);
  v("cells_done", m.cells_done);
  v("tasks", m.tasks);
  v("tasks_reused", m.tasks_reused);
  v("tasks_queued", m.tasks_queued);
  v("tasks_underway", m.tasks_underway);
}

namespace {

template <typename T>
T read_message(const Json& json, const char* what) {
  T value;
  ObjectReader::read(json, what, value);
  return value;
}

}  // namespace

Json to_json(const RegisterWorker& value) {
  return ObjectWriter::write(value);
}
Json to_json(const WorkerRegistered& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Claim& value) {
  return ObjectWriter::write(value);
}
Json to_json(const ClaimReply& value) {
  return ObjectWriter::write(value);
}
Json to_json(const Heartbeat& value) {
  return ObjectWriter::write(value);
}
Json to_json(const HeartbeatReply& value) {
  return ObjectWriter::write(value);
}
Json to_json(const AttemptResult& value) {
  return ObjectWriter::write(value);
}
Json to_json(const ResultReply& value) {
  return ObjectWriter::write(value);
}
Json to_json(const GridSettings& value) {
  return ObjectWriter::write(value);
}
Json to_json(const SubmitGrid& value) {
  std::map<std::string, Json> identities;
  for (const Cell& cell : value.cells) identities.emplace(cell.id(), cell.identity());
  Json json = ObjectWriter::write(value);
  for (Json& task : json["tasks"]) {
    const auto cell = identities.find(task["cell_id"].get_ref<const std::string&>());
    const auto inside = task["spec"].find("cell");
    if (cell == identities.end() || inside == task["spec"].end()) continue;
    if (*inside == cell->second) task["spec"].erase(inside);
  }
  return json;
}
Json to_json(const GridSubmitted& value) {
  return ObjectWriter::write(value);
}

template <>
RegisterWorker from_json(const Json& json) {
  auto worker = read_message<RegisterWorker>(json, "worker");
  if (!worker.environment.is_object()) fail_input("worker.environment must be an object");
  return worker;
}
template <>
WorkerRegistered from_json(const Json& json) {
  return read_message<WorkerRegistered>(json, "worker reply");
}
template <>
Claim from_json(const Json& json) {
  return read_message<Claim>(json, "claim");
}
template <>
ClaimReply from_json(const Json& json) {
  return read_message<ClaimReply>(json, "claim reply");
}
template <>
Heartbeat from_json(const Json& json) {
  return read_message<Heartbeat>(json, "heartbeat");
}
template <>
HeartbeatReply from_json(const Json& json) {
  return read_message<HeartbeatReply>(json, "heartbeat reply");
}
template <>
AttemptResult from_json(const Json& json) {
  auto result = read_message<AttemptResult>(json, "result");
  const std::vector<std::string> known{"raw", "ema", "best"};
  for (size_t i = 0; i < result.figures.size(); ++i) {
    const std::string& weights = result.figures[i].weights;
    if (std::find(known.begin(), known.end(), weights) != known.end()) continue;
    fail_input("result.figures[{}].weights: {}", i, unknown_name("value", weights, known));
  }
  return result;
}
template <>
ResultReply from_json(const Json& json) {
  return read_message<ResultReply>(json, "result reply");
}
template <>
GridSettings from_json(const Json& json) {
  return read_message<GridSettings>(json, "settings");
}
template <>
SubmitGrid from_json(const Json& json) {
  auto grid = read_message<SubmitGrid>(json, "grid");
  std::map<std::string, Json> identities;
  for (const Cell& cell : grid.cells) identities.emplace(cell.id(), cell.identity());
  for (Task& task : grid.tasks) {
    if (task.cell_id.empty() || task.spec.contains("cell")) continue;
    const auto cell = identities.find(task.cell_id);
    if (cell == identities.end()) {
      fail_input("task '{}' belongs to cell {}, which is not in the grid", task.title,
                 task.cell_id);
    }
    task.spec["cell"] = cell->second;
  }
  return grid;
}
template <>
GridSubmitted from_json(const Json& json) {
  return read_message<GridSubmitted>(json, "grid reply");
}

}  // namespace protocol
}  // namespace remixer::experiments
