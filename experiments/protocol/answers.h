// SPDX-License-Identifier: Apache-2.0
// Answers of the daemon's queries; docs/api.md explains them. Those about figures and curves are in
// analysis_answers.h, those to orders in order_answers.h.
//
// Each is the schema of the same name in docs/openapi.json, with the same fields; some parts of
// answers are structs here and written out inside a schema there. Times are ISO 8601 in UTC,
// durations seconds, paths relative to the workspace.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "experiments/protocol/messages.h"

namespace remixer::experiments::protocol::answers {

// Tasks of a grid by state.
struct TaskCounts {
  int64_t waiting = 0, ready = 0, running = 0, done = 0, failed = 0, blocked = 0, cancelled = 0;
};
// Tasks of one kind.
struct KindCounts {
  int64_t total = 0, done = 0, running = 0;
  int64_t failed = 0;  // or blocked or cancelled
};

struct Grid {
  int64_t id = 0;
  std::string name, description;
  std::string submitted_at;
  std::string state;  // "running", "paused", "done", "failed" or "cancelled"
  GridSettings settings;
  int64_t cells = 0, cells_done = 0, cells_failed = 0;
  int64_t tasks = 0;
  TaskCounts states;
  std::map<std::string, KindCounts> kinds;  // by kind of task
  double fraction = 0;                      // of its work that is done, by estimated time
  std::optional<double> seconds_left;       // nothing: not known
  std::optional<std::string> ended_at;      // once no task is open
};
struct GridList {
  std::vector<Grid> grids;  // newest first
};

struct Cell {
  int64_t position = 0;  // in its grid
  std::string cell_id, architecture, spatial_prior, labeler, train_set, recipe;
  int64_t seed = 0;
  std::string state;  // "waiting", "running", "done" or "failed"
  int64_t tasks = 0, tasks_done = 0;
  std::optional<std::string> reason;  // of a failed cell
  std::vector<Figure> figures;
};
struct GridDetail : Grid {
  std::vector<Cell> cell_list;
  std::optional<int64_t> next;  // `after` of the next page of cells; nothing: this is the last
};

// What the answers about one and about many tasks share.
struct TaskBasics {
  std::string task_id, kind;
  std::string cell_id;  // empty if it belongs to no cell
  std::string title, state;
  std::optional<std::string> reason;  // of a failed, cancelled or blocked task
  bool hopeless = false;              // failed at once, since trying again cannot help
  std::vector<int64_t> grids;         // that hold it
  std::optional<std::string> folder;  // of its newest attempt
};
struct TaskSummary : TaskBasics {
  int64_t attempts = 0;
};
struct TaskList {
  std::vector<TaskSummary> tasks;
  std::optional<int64_t> next;  // `after` of the next page
};
struct TaskLink {
  std::string task_id, title, state;
};
struct Attempt {
  int64_t attempt = 0, fence = 0;
  std::string state, worker, started_at;
  std::optional<std::string> ended_at, reason;
  std::string folder;
  int64_t step = 0, total_steps = 0;
};
// Where an attempt ran.
struct Environment {
  int64_t attempt = 0;
  std::optional<std::string> worker;
  int64_t ranks = 0;
  std::string device, version;
  Json environment;  // an object, as the worker told it; null if it cannot be read
};
struct TaskDetail : TaskBasics {
  Json spec, result;
  std::vector<Figure> figures;
  std::vector<TaskLink> dependencies, dependants;
  std::optional<int64_t> next;  // `after` of the next page of dependants
  std::string explanation;      // why it is not done, or how it ended
  int64_t failures = 0, crashes = 0;
  std::vector<Attempt> attempts;
  std::optional<std::vector<Environment>> environments;  // only a daemon's answer has them
};

struct Running {
  std::string task_id, kind, cell_id, title;
  int64_t attempt = 0, fence = 0;
  std::string worker, worker_id, folder;
  int64_t step = 0, total_steps = 0;
  std::string activity, started_at;
  double seconds = 0;
  std::optional<double> seconds_left;                    // nothing: not known
  std::optional<double> last_heartbeat_seconds;          // nothing without a daemon
  std::map<std::string, std::optional<double>> metrics;  // newest values; nothing: not finite
  std::vector<int64_t> grids;

  // The metric's value; nothing if it is missing or not finite.
  std::optional<double> metric(const std::string& name) const;
};
struct FailedTask {
  std::string task_id, kind, cell_id, title;
  int64_t attempt = 0;
  std::string reason, ended_at, log;
  std::vector<int64_t> grids;
};
struct FinishedTask {
  std::string task_id, kind, cell_id, title, ended_at;
  double seconds = 0;
  std::vector<Figure> figures;
  std::vector<int64_t> grids;
};
struct Worker {
  std::string worker_id, name, host;
  int64_t pid = 0, ranks = 0;
  std::string device, version;
  std::string state;  // "idle", "running", "silent" or "set aside"
  std::optional<std::string> task_id;
  double last_seen_seconds = 0;
};
struct WorkerList {
  std::vector<Worker> workers;
};

// The daemon itself.
struct Ping {
  std::string version;
  int64_t pid = 0;
  std::string host, workspace;
  bool stopping = false;
};
// The daemon's own workers on this machine.
struct Launcher {
  int64_t workers = 0, alive = 0;
  std::optional<std::string> problem;  // why they do not start
};
struct Allocation {
  std::string id, state;
  bool waiting = false;
  std::optional<std::string> reason, nodes, start, end;
  int64_t workers = 0, running = 0;
  std::string log;
};
struct Slurm {
  bool wanted = false;
  std::string name;
  std::optional<std::string> paused, problem, why;
  int64_t maximum = 0, backlog = 0;
  std::vector<Allocation> allocations;
};
// What stops all work of the workspace.
struct Site {
  std::optional<std::string> problem;
};
struct Status {
  std::string now;
  bool stopping = false;
  int64_t revision = 0;      // changes with the tasks' states
  double grace_seconds = 0;  // longest remaining wait for attempts of the daemon before
  std::vector<Grid> grids;   // active ones and those that ended last, newest first
  std::vector<Running> running;
  std::vector<FailedTask> failures;    // newest first
  std::vector<FinishedTask> finished;  // newest first
  std::vector<Worker> workers;
  Site site;
  // Missing in what is read from the database, without a daemon.
  std::optional<std::string> version, host, workspace, started_at;
  std::optional<int64_t> pid;
  std::optional<Launcher> launcher;
  std::optional<Slurm> slurm;
};

// Bytes `from` to `next` (exclusive) of a log file of `size` bytes.
struct Log {
  std::string task_id;
  std::optional<int64_t> attempt;  // nothing: there is no log
  std::string text;
  int64_t from = 0, next = 0, size = 0;
};

// to_json of every answer and of the parts that are written alone; from_json of the answers that
// commands read. from_json ignores fields that it does not know, since a newer daemon may send
// them; it throws InputError naming a field that is missing or has another type or an unknown
// name of an enumerator.
Json to_json(const Grid& value);
Json to_json(const GridList& value);
Json to_json(const GridDetail& value);
Json to_json(const TaskSummary& value);
Json to_json(const TaskList& value);
Json to_json(const TaskDetail& value);
Json to_json(const Environment& value);
Json to_json(const WorkerList& value);
Json to_json(const Ping& value);
Json to_json(const Slurm& value);
Json to_json(const Status& value);
Json to_json(const Log& value);

template <typename T>
T from_json(const Json& json);
template <>
GridList from_json(const Json& json);
template <>
GridDetail from_json(const Json& json);
template <>
TaskList from_json(const Json& json);
template <>
TaskDetail from_json(const Json& json);
template <>
Ping from_json(const Json& json);
template <>
Slurm from_json(const Json& json);
template <>
Status from_json(const Json& json);

}  // namespace remixer::experiments::protocol::answers
