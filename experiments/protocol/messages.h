// SPDX-License-Identifier: Apache-2.0
// Messages between worker, command and daemon: JSON bodies over HTTP/1.1 under /api/v1. docs/api.md
// describes the routes. Each message here has to_json and from_json; from_json throws InputError
// naming a field that is missing, unknown or of a wrong type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "experiments/spec/task.h"

namespace remixer::experiments::protocol {

// POST /workers: registers a worker (all its ranks together).
struct RegisterWorker {
  std::string name;  // "host:pid"
  std::string host;
  int64_t pid = 0;  // rank 0's
  int64_t ranks = 1;
  std::string device;   // "cpu" or "cuda"
  std::string boot_id;  // of the host, so that a local daemon can tell if the process is gone
  std::string version;  // the product's version and commit
  Json environment;     // library versions, CPU, threads, ... recorded with each attempt
  int64_t gpus = 0;     // of all its ranks together
  double ends_at = 0;   // end of its allocation, seconds since 1970; 0: no known end
  // With boot id and pid these identify one process: its pid namespace (a container has its own)
  // and its start time, in clock ticks since boot. Empty and 0: not known.
  std::string pid_namespace{};
  int64_t started = 0;
};
struct WorkerRegistered {
  std::string worker_id;
  double lease_seconds = 0;      // how long an attempt is kept without a heartbeat
  double heartbeat_seconds = 0;  // interval between heartbeats
  std::string workspace;         // absolute path
};

// A task's input: the result of a dependency.
struct TaskInput {
  std::string task_id;
  TaskKind kind = TaskKind::kPrepare;
  Json spec;    // without its cell, like the assignment's task
  Json result;  // the committed result, paths in it relative to the workspace
};
struct Assignment {
  std::string task_id;
  Task task;            // its spec lacks "cell", which is sent once, as `cell`
  int64_t attempt = 0;  // 1, 2, ... within the task
  int64_t fence = 0;    // increases with every attempt assigned by this daemon's database
  std::string folder;   // its own folder, relative to the workspace: runs/<task>/<attempt>
  std::vector<std::string> previous;  // folders of earlier attempts, oldest first
  // Attempt number of the first of `previous` whose finished result may still be sent. Results of
  // earlier attempts were discarded when the task was requeued; only their checkpoints may be used.
  int64_t results_from = 1;
  std::vector<TaskInput> inputs;
  std::optional<Cell> cell;  // with names; of train and evaluate tasks
};

struct MetricPoint {
  int64_t step = 0;
  double epoch = 0;
  std::string name;
  double value = 0;  // a non-finite value is sent as null and arrives as NaN
};

// POST /heartbeat: renews the lease and reports news.
struct Heartbeat {
  std::string worker_id, task_id;
  int64_t attempt = 0, fence = 0;
  int64_t step = 0, total_steps = 0;
  std::string activity;  // "training", "labelling", ... for people
  std::vector<MetricPoint> metrics;
};
enum class Order {
  kContinue,
  kStop,     // checkpoint, report Released, then claim again (or exit)
  kAbandon,  // the attempt is no longer valid: drop it without reporting
};
struct HeartbeatReply {
  Order order = Order::kContinue;
};

// POST /result: the end of an attempt. At most one result per task is ever accepted.
enum class Ending {
  kDone,         // `result` holds the task's output
  kReleased,     // stopped on request; a later attempt continues from the checkpoint
  kFailed,       // an error; may be retried
  kBadInput,     // the task's input is wrong; not retried
  kOutOfMemory,  // not retried
  kNoSpace       // disk full: a problem of the site, not counted as a failure
};
// One metric of an evaluation.
struct Figure {
  std::string weights;  // "raw", "ema" or "best"
  std::string eval_set;
  std::string metric;  // "top1", "top5" (percent)
  double value = 0;
  int64_t n = 0;  // images
};
// A file or folder in the attempt's folder that the daemon moves to its final place in the
// workspace when it accepts the result. Both paths are relative to the workspace; `to` begins with
// datasets/, labels/ or models/.
struct Publication {
  std::string from, to;
};
struct AttemptResult {
  std::string worker_id, task_id;
  int64_t attempt = 0, fence = 0;
  Ending ending = Ending::kDone;
  std::string reason;                // one line, for every ending except kDone
  Json result;                       // kDone, by kind: see docs/api.md
  std::vector<Figure> figures;       // evaluate
  std::vector<MetricPoint> metrics;  // the last ones
  std::vector<Publication> publish;
};
struct ResultReply {
  bool accepted = false;
  std::string reason;  // why not
};

// POST /claim: asks for work; a worker that has just finished a task may attach its result.
struct Claim {
  std::string worker_id;
  std::optional<AttemptResult> result = {};
};
struct ClaimReply {
  std::optional<Assignment> assignment;
  double retry_seconds = 1;           // without an assignment: when to ask again
  bool exit = false;                  // the worker should end
  std::optional<ResultReply> result;  // reply to the claim's result
};

// Scheduling options of a grid. They never change a result.
struct GridSettings {
  int64_t priority = 0;     // grids with higher priority go first
  int64_t max_running = 0;  // tasks that may run at once; 0: no limit
  int64_t ranks = 0;        // minimum ranks of a worker that trains for it
  int64_t gpus = 0;         // and minimum GPUs
  bool operator==(const GridSettings&) const = default;
};

// POST /grids: everything that a grid needs; known cells and tasks are reused. On the wire a task's
// spec leaves out its cell's identity, which is in `cells`.
struct SubmitGrid {
  std::string name, description, text;
  std::vector<Cell> cells;
  std::vector<Task> tasks;
  std::optional<GridSettings> settings;  // if absent: unchanged, or the default
};
struct GridSubmitted {
  int64_t grid_id = 0;
  int64_t cells = 0;       // in the grid
  int64_t cells_done = 0;  // cells whose tasks were all finished already
  int64_t tasks = 0;
  int64_t tasks_reused = 0;    // finished already
  int64_t tasks_queued = 0;    // new, or to be rerun after failure or cancelling
  int64_t tasks_underway = 0;  // already queued or running for an earlier submit
};

std::string_view to_string(Order order);
std::string_view to_string(Ending ending);

// to_json(T) / from_json<T>(Json) for every struct above.
Json to_json(const RegisterWorker& value);
Json to_json(const WorkerRegistered& value);
Json to_json(const Claim& value);
Json to_json(const ClaimReply& value);
Json to_json(const Heartbeat& value);
Json to_json(const HeartbeatReply& value);
Json to_json(const AttemptResult& value);
Json to_json(const ResultReply& value);
Json to_json(const GridSettings& value);
Json to_json(const SubmitGrid& value);
Json to_json(const GridSubmitted& value);
template <typename T>
T from_json(const Json& json);
template <>
RegisterWorker from_json(const Json& json);
template <>
WorkerRegistered from_json(const Json& json);
template <>
Claim from_json(const Json& json);
template <>
ClaimReply from_json(const Json& json);
template <>
Heartbeat from_json(const Json& json);
template <>
HeartbeatReply from_json(const Json& json);
template <>
AttemptResult from_json(const Json& json);
template <>
ResultReply from_json(const Json& json);
template <>
GridSettings from_json(const Json& json);
template <>
SubmitGrid from_json(const Json& json);
template <>
GridSubmitted from_json(const Json& json);

}  // namespace remixer::experiments::protocol
