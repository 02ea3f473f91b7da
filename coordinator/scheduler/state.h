// SPDX-License-Identifier: Apache-2.0
// The scheduler's state: tasks and their dependencies, the newest attempt of each, workers and
// grids. Loaded from the store at start; changed only by step().
//
// It holds only the data that decisions need. Specs, results, figures and records of cells are in
// the store, so that the memory of a daemon with hundreds of thousands of finished tasks stays
// small.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "coordinator/scheduler/shared_text.h"
#include "experiments/protocol/messages.h"

namespace remixer::coordinator {

using experiments::Cell;
using experiments::Task;
using experiments::TaskKind;
using experiments::protocol::GridSettings;

// The requested object does not exist (HTTP 404), or the state does not allow it (HTTP 409).
class NotFound : public InputError {
 public:
  using InputError::InputError;
};
class Conflict : public InputError {
 public:
  using InputError::InputError;
};

// The current time on both clocks: `monotonic` for leases, `wall` for dates shown to people.
struct Now {
  double monotonic = 0;
  double wall = 0;
};

struct Settings {
  double lease_seconds = 30;
  double heartbeat_seconds = 1;
  double stall_seconds = 15 * 60;  // an attempt without progress for this long is ended
  int64_t failure_limit = 3;       // failed attempts after which a task has failed
  // A task that has lost this many workers is a suspect: it then runs alone on its host.
  int64_t suspect_limit = 2;
  // Workers that may die while the task runs alone, without progress, before it has failed.
  int64_t crash_limit = 5;
  double backoff_seconds = 5;  // after the first failure; four times as long after each further one
  // After a task's second lost worker in a row; doubled for each further one.
  double loss_backoff_seconds = 5;
  double longest_backoff_seconds = 300;
  // Tasks that resume from checkpoints start if the worker has at least this much time left.
  double useful_seconds = 120;
  // After a worker found the disk full, nothing is given out for this long; doubled each time that
  // it is still full.
  double no_space_seconds = 5, longest_no_space_seconds = 60;
  // Tasks that failed on a worker and were then done by others, before it is set aside.
  int64_t blame_limit = 2;
  double poll_seconds = 0.5;  // interval at which a worker without work asks again
  std::string workspace;      // absolute
};

enum class TaskState { kWaiting, kReady, kRunning, kDone, kFailed, kBlocked, kCancelled };
enum class AttemptState { kRunning, kDone, kReleased, kFailed, kLost, kCancelled };
constexpr size_t kTaskStates = 7;
std::string_view to_string(TaskState state);
std::string_view to_string(AttemptState state);
TaskState task_state_from_string(std::string_view text);        // throws InputError
AttemptState attempt_state_from_string(std::string_view text);  // throws InputError

// Failed, blocked or cancelled: it does not continue by itself.
bool stuck(TaskState state);
// Waiting, ready or running.
bool open(TaskState state);

// One attempt of a task by one worker.
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

  // Not stored: measured again after a restart of the daemon.
  double started = 0;       // monotonic
  double progress_at = 0;   // time of the last progress
  double heard_at = 0;      // last heartbeat
  int64_t first_step = -1;  // at the first heartbeat; a resumed attempt does not begin at 0
  double first_step_at = 0;
  bool counted_crash = false;             // its loss was counted against the task
  bool counted_alone = false;             // and it was alone on its host
  bool inherited = false;                 // given out by an earlier daemon process
  std::map<std::string, double> metrics;  // newest value by name

  // End of the last lease promised to it; no other attempt is given out before. 0 once the worker
  // itself has reported the end, or is known to be gone.
  double held_until = 0;
};

struct TaskEntry;
struct GridEntry;

struct CellEntry {
  const std::string* key = nullptr;  // its id
  int64_t number = 0;                // in the store
  Name architecture, spatial_prior, labeler_name, dataset_name, recipe_name, precision;
  int64_t seed = 0;
  int32_t shards = 0;  // of its batches; 0: unknown
  const std::string& id() const { return *key; }
};

struct TaskEntry {
  const std::string* key = nullptr;  // its id
  int64_t number = 0;                // in the store
  TaskKind kind = TaskKind::kPrepare;
  TaskState state = TaskState::kWaiting;
  const CellEntry* cell = nullptr;  // null for prepare and label
  Name similar;                     // the same for tasks with similar durations
  Name weights;                     // the network file it needs; empty: none
  std::string title;
  std::vector<TaskEntry*> dependencies, dependants;
  std::vector<GridEntry*> grids;
  int64_t order = 0;     // tasks of a grid are given out in this order
  int64_t attempts = 0;  // given out so far
  int64_t fence = 0;     // of the newest attempt
  int32_t failures = 0;  // counted against the limit
  int32_t crashes = 0;   // workers lost since its last progress
  int32_t alone = 0;     // those lost while nothing else ran on their host
  // Attempts up to this one precede the last requeueing: their results do not count.
  int32_t given_up = 0;
  std::string reason;    // if failed or cancelled
  double seconds = 0;    // total of its ended attempts
  double done_wall = 0;  // when it was done, failed or cancelled
  // Not stored.
  int32_t clearing = 0;   // current deletions of its files: it is not given out meanwhile
  double not_before = 0;  // monotonic: back-off
  int64_t furthest = 0;   // step at which a worker was last lost
  // The newest attempt; null before the first attempt and when done.
  std::unique_ptr<Attempt> newest;

  const std::string& id() const { return *key; }
};

struct Worker {
  experiments::protocol::RegisterWorker about;
  std::string id;
  double seen = 0;     // monotonic, of its last message; not stored
  double lost = -1e9;  // monotonic, when an attempt was last lost on it; not stored
  bool gone = false;
  // Not stored. Tasks that failed here and were done elsewhere, since it last finished one.
  int64_t blamed = 0;
};

// The workspace's disk is full. Not stored: detected again after a restart.
struct NoSpace {
  int times = 0;       // in a row
  double since = 0;    // monotonic, last time
  double until = 0;    // monotonic: nothing is given out earlier
  std::string reason;  // the worker's message
};

enum class Pause { kNone, kAfterRunning, kNow };

// What a grid's owner has been told since it was last submitted or retried.
enum class Said { kNothing, kAttention, kEnd };

struct GridEntry {
  int64_t id = 0;
  std::string name, description, key;  // key: hash of name, cells and tasks
  double submitted_wall = 0;
  bool cancelled = false;
  Pause paused = Pause::kNone;
  Said said = Said::kNothing;
  GridSettings settings;
  std::vector<CellEntry*> cells;  // in the file's order
  std::vector<TaskEntry*> tasks;

  // Indexes, maintained by the functions of index.h.
  struct CellCount {
    int32_t tasks = 0, done = 0, running = 0, stuck = 0;
  };
  struct Work {
    int64_t tasks = 0, open = 0;
    double spent = 0;  // seconds of ended attempts of open tasks
  };
  std::array<std::array<int64_t, kTaskStates>, experiments::kTaskKinds> counts{};
  std::unordered_map<const CellEntry*, CellCount> by_cell;
  std::map<Name, Work> work;  // by TaskEntry::similar
  int64_t cells_done = 0, cells_failed = 0;
  std::set<std::pair<int64_t, TaskEntry*>> ready;  // (order, task)
  double ended_wall = 0;                           // of the last task that was done or got stuck
  int64_t served = 0;                              // turn in which its last task was given out

  int64_t count(TaskState state) const;
};

// Sum and count of tasks' durations in seconds.
struct Mean {
  double sum = 0, count = 0;
  void add(double value) { sum += value, count += 1; }
  void add(const Mean& other) { sum += other.sum, count += other.count; }
  double value() const { return sum / count; }
};

struct State {
  std::unordered_map<std::string, TaskEntry> tasks;
  std::unordered_map<std::string, CellEntry> cells;
  std::map<std::string, Worker> workers;
  std::map<int64_t, GridEntry> grids;
  int64_t next_fence = 1, next_order = 1, next_worker = 1, next_grid = 1;
  int64_t next_task = 1, next_cell = 1, next_notice = 1;
  bool stopping = false;
  uint64_t revision = 0;  // changes with the tasks' states
  int64_t turn = 0;       // counter for GridEntry::served
  NoSpace no_space;
  // Failures of unfinished tasks: workers by task. Not stored.
  std::map<std::string, std::set<std::string>> failed_on;

  // Indexes over `tasks`, maintained by the functions of index.h.
  std::set<std::string> held;  // tasks whose newest attempt has held_until > 0 (all running ones)
  std::map<Name, Mean> durations;  // of done tasks, by `similar`
  std::map<Name, Mean> costs;      // relative costs by `similar`, as stated for the first task
  std::array<Mean, experiments::kTaskKinds> kind_durations;  // durations by kind
  std::set<std::pair<double, TaskEntry*>> failed;            // by done_wall
  std::set<std::pair<double, TaskEntry*>> done_lately;       // the newest kDoneLately
  static constexpr size_t kDoneLately = 64;

  TaskEntry& task(const std::string& id);              // throws NotFound
  const TaskEntry& task(const std::string& id) const;  // throws NotFound
  const GridEntry& grid(int64_t id) const;             // throws NotFound
  GridEntry& grid(int64_t id);                         // throws NotFound
};

// "runs/<task>/<attempt>"
std::string attempt_folder(const std::string& task_id, int64_t number);
// The number of the attempt whose folder has this name: digits, at most 17; else nothing.
std::optional<int64_t> attempt_number(const std::string& folder_name);

// Typical seconds of a whole run of the task, from finished tasks: similar ones, else of the same
// kind. Nothing if there are none.
std::optional<double> usual_seconds(const State& state, const TaskEntry& entry);

}  // namespace remixer::coordinator
