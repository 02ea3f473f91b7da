// What the scheduler knows: tasks and how they depend on each other, the newest attempt of each,
// workers and grids. Loaded from the store at start; changed by step() alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "experiments/protocol/messages.h"

namespace remixer::coordinator {

using experiments::Cell;
using experiments::Json;
using experiments::Task;
using experiments::TaskKind;

// What was asked for does not exist (HTTP 404), or is not possible in the present state (HTTP 409).
class NotFound : public InputError {
 public:
  using InputError::InputError;
};
class Conflict : public InputError {
 public:
  using InputError::InputError;
};

// One moment on both clocks. Leases are counted on `monotonic`, dates for people on `wall`.
struct Now {
  double monotonic = 0;
  double wall = 0;
};

struct Settings {
  double lease_seconds = 30;
  double heartbeat_seconds = 1;
  double stall_seconds = 15 * 60;  // without progress for so long an attempt is ended
  int64_t failure_limit = 3;       // failed attempts after which a task is failed
  int64_t crash_limit = 5;         // attempts whose worker died, after which a task is failed
  double backoff_seconds = 5;  // after the first failure; four times as long after each further one
  double poll_seconds = 0.5;   // a worker without work asks again after so long
  std::string workspace;       // absolute
};

enum class TaskState { kWaiting, kReady, kRunning, kDone, kFailed, kBlocked, kCancelled };
enum class AttemptState { kRunning, kDone, kReleased, kFailed, kLost, kCancelled };
std::string_view to_string(TaskState state);
std::string_view to_string(AttemptState state);
TaskState task_state_from_string(std::string_view text);        // throws InputError
AttemptState attempt_state_from_string(std::string_view text);  // throws InputError

// One try at a task by one worker.
struct Attempt {
  int64_t number = 0;
  int64_t fence = 0;
  std::string worker_id;
  AttemptState state = AttemptState::kRunning;
  double started_wall = 0;
  double ended_wall = 0;  // 0 while it runs
  std::string reason;
  int64_t step = 0, total_steps = 0;
  std::string activity;

  // Not stored: counted afresh after a restart of the daemon.
  double started = 0;       // monotonic
  double progress_at = 0;   // when the step last moved
  double heard_at = 0;      // last heartbeat
  int64_t first_step = -1;  // of the first heartbeat; a resumed attempt does not begin at 0
  double first_step_at = 0;
  bool counted_crash = false;             // its loss was counted against the task
  bool inherited = false;                 // given out by an earlier life of the daemon
  std::map<std::string, double> metrics;  // newest value by name

  // The end of the last lease that was promised to it; no other attempt is given out before. 0 once
  // the worker itself has reported the end, or is known to be gone.
  double held_until = 0;
};

struct TaskEntry {
  Task task;
  std::vector<std::string> dependants;
  TaskState state = TaskState::kWaiting;
  int64_t order = 0;     // tasks are given out in this order
  int64_t attempts = 0;  // given out so far
  int64_t failures = 0;  // that count against the limit
  int64_t crashes = 0;
  std::string reason;     // of failed and cancelled
  Json result;            // of done
  double seconds = 0;     // of all its attempts that ended
  double done_wall = 0;   // when it was done or failed
  double not_before = 0;  // monotonic: back-off; not stored
  std::optional<Attempt> newest;
};

struct Worker {
  experiments::protocol::RegisterWorker about;
  std::string id;
  double seen = 0;  // monotonic, of its last message; not stored
  bool gone = false;
};

struct GridEntry {
  int64_t id = 0;
  std::string name, description, key;  // key: hash of name, cells and tasks
  double submitted_wall = 0;
  bool cancelled = false;
  std::vector<std::string> cells, tasks;  // ids in the file's order
};

struct State {
  std::unordered_map<std::string, TaskEntry> tasks;
  std::unordered_map<std::string, Cell> cells;
  std::map<std::string, Worker> workers;
  std::map<int64_t, GridEntry> grids;
  int64_t next_fence = 1, next_order = 1, next_worker = 1, next_grid = 1;
  bool stopping = false;
  uint64_t revision = 0;  // of the tasks' states

  // Indexes over `tasks`, kept by the functions of lifecycle.h.
  std::set<std::pair<int64_t, std::string>> ready;  // (order, id)
  std::set<std::string> held;  // whose newest attempt has held_until > 0 (all running ones have)

  TaskEntry& task(const std::string& id);              // throws NotFound
  const TaskEntry& task(const std::string& id) const;  // throws NotFound
  const GridEntry& grid(int64_t id) const;             // throws NotFound
};

// "runs/<task>/<attempt>"
std::string attempt_folder(const std::string& task_id, int64_t number);

}  // namespace remixer::coordinator
