// SPDX-License-Identifier: Apache-2.0
// The scheduler's transition function: (state, event, now) → state changed, effects. No I/O, no
// clock, no threads: it returns what is to be stored, deleted and answered.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "coordinator/scheduler/prepared_grid.h"
#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

// Events.
struct SubmitEvent {
  explicit SubmitEvent(const experiments::protocol::SubmitGrid& grid,
                       std::set<std::string> missing = {});
  explicit SubmitEvent(PreparedGrid grid);
  std::shared_ptr<const PreparedGrid> grid;
  // Done tasks whose files are missing in the workspace: they run again.
  std::set<std::string> missing;
  // As in FoldersEvent, for the grid's tasks.
  std::map<std::string, int64_t> folders;
};
// Attempt folders in the workspace that the database does not know (it was restored from an older
// copy, or is new): the highest number by task. New attempts get higher numbers, so that no two
// write into one folder.
struct FoldersEvent {
  std::map<std::string, int64_t> folders;
};
struct RegisterEvent {
  experiments::protocol::RegisterWorker worker;
};
// An attached result is taken first.
struct ClaimEvent {
  std::string worker_id;
  std::optional<experiments::protocol::AttemptResult> result = std::nullopt;
};
struct HeartbeatEvent {
  experiments::protocol::Heartbeat heartbeat;
};
struct ResultEvent {
  experiments::protocol::AttemptResult result;
};
// The attempt's result is being moved to its place: its lease starts again now. HeartbeatReply:
// kAbandon if the attempt no longer counts.
struct RenewEvent {
  std::string task_id;
  int64_t attempt = 0, fence = 0;
};
// A finished result restored from the workspace: becomes a new attempt of this worker that is done
// at once. ResultReply.
struct AdoptEvent {
  std::string worker_id;
  experiments::protocol::AttemptResult result;
};
// Files of the task are being deleted from now on (1), or no longer (-1): it is not given out.
struct ClearingEvent {
  std::string task_id;
  int change = 1;
};
// Time has passed: expires leases, ends stalled attempts.
struct TickEvent {};
// The worker's process is known to have ended. `counts`: its task may be the cause; false if it was
// preempted, its node failed or its time was over.
struct WorkerGoneEvent {
  std::string worker_id;
  std::string why = "died";  // "worker X <why> at step N"
  bool counts = true;
};
struct CancelTaskEvent {
  std::string task_id;
};
struct CancelGridEvent {
  int64_t grid_id = 0;
};
// Requeues failed, blocked and cancelled tasks, together with their dependencies; `missing` as
// above.
struct RetryTaskEvent {
  std::string task_id;
  std::set<std::string> missing;
};
struct RetryGridEvent {
  int64_t grid_id = 0;
  std::set<std::string> missing;
};
// Deletes the task's result and files, and those of its dependants: they become cancelled, and run
// again when submitted or retried. Conflict while a worker may still be writing.
struct RemoveTaskEvent {
  std::string task_id;
};
// Same for all tasks that no other grid holds; also removes the grid itself.
struct RemoveGridEvent {
  int64_t grid_id = 0;
};
struct PauseGridEvent {
  int64_t grid_id = 0;
  Pause pause = Pause::kNone;
};
struct ConfigureGridEvent {
  int64_t grid_id = 0;
  GridSettings settings;
};
// The owner's command or webhook has accepted the notice.
struct NoticeTakenEvent {
  int64_t notice_id = 0;
};
// From now on nothing is given out and workers are asked to stop.
struct ShutdownEvent {};
using Event =
    std::variant<SubmitEvent, RegisterEvent, ClaimEvent, HeartbeatEvent, ResultEvent, FoldersEvent,
                 RenewEvent, AdoptEvent, ClearingEvent, TickEvent, WorkerGoneEvent, CancelTaskEvent,
                 CancelGridEvent, RetryTaskEvent, RetryGridEvent, RemoveTaskEvent, RemoveGridEvent,
                 PauseGridEvent, ConfigureGridEvent, NoticeTakenEvent, ShutdownEvent>;

// Answers. An assignment names tasks, attempt and folders; the store fills in specs, results and
// the cell (Store::texts).
struct CountReply {
  int64_t tasks = 0;  // how many changed
};
using Reply = std::variant<std::monostate, experiments::protocol::GridSubmitted,
                           experiments::protocol::WorkerRegistered,
                           experiments::protocol::ClaimReply, experiments::protocol::HeartbeatReply,
                           experiments::protocol::ResultReply, CountReply>;

// Writes to be stored, in this order, all or nothing, before the answer is given. Cells and tasks
// are referred to by number.
struct PutCell {  // new, or with changed names
  std::shared_ptr<const PreparedGrid> grid;
  size_t index = 0;  // into grid->cells
  int64_t number = 0;
};
struct PutTask {
  std::shared_ptr<const PreparedGrid> grid;
  size_t index = 0;  // into grid->tasks
  int64_t number = 0, cell = 0;
  int64_t order = 0;  // its initial state is waiting
  std::vector<int64_t> dependencies;
};
struct PutTitle {
  int64_t task = 0;
  std::string title;
};
// A task that is not done has no result.
struct PutTaskState {
  int64_t task = 0;
  TaskState state = TaskState::kWaiting;
  int64_t order = 0, attempts = 0, fence = 0, failures = 0, crashes = 0, alone = 0, given_up = 0;
  std::string reason;
  double seconds = 0, done_wall = 0;
};
struct PutAttempt {
  int64_t task = 0;
  Attempt attempt;
};
struct PutWorker {
  Worker worker;
};
struct PutGrid {  // new, with its members
  std::shared_ptr<const PreparedGrid> grid;
  int64_t id = 0;
  std::string key;
  std::vector<int64_t> cells, tasks;
};
struct PutGridState {
  int64_t id = 0;
  std::string description;
  std::string text;  // empty: unchanged
  double submitted_wall = 0;
  bool cancelled = false;
  Pause paused = Pause::kNone;
  Said said = Said::kNothing;
  GridSettings settings;
};
struct DeleteGrid {
  int64_t id = 0;
};
struct PutMetrics {
  int64_t fence = 0;
  std::vector<experiments::protocol::MetricPoint> points;
};
// The one result of a task, with its figures. The store refuses it if the task already has one, or
// if the fence is not the newest.
struct PutResult {
  int64_t task = 0, fence = 0;
  std::string result;  // JSON
  std::vector<experiments::protocol::Figure> figures;
};
struct DeleteFigures {
  int64_t task = 0;
};
// A notice to the owner, kept until it is taken.
struct PutNotice {
  int64_t id = 0;
  std::string event;  // "done", "failed", "attention"
  int64_t grid_id = 0;
  std::string body;  // JSON
  double wall = 0;
};
struct DeleteNotice {
  int64_t id = 0;
};
using Write = std::variant<PutCell, PutTask, PutTitle, PutTaskState, PutAttempt, PutWorker, PutGrid,
                           PutGridState, DeleteGrid, PutMetrics, PutResult, DeleteFigures,
                           PutNotice, DeleteNotice>;

struct Effects {
  std::vector<Write> writes;
  Reply reply;
  // Tasks whose files are to be deleted after the commit; after that they are no longer `clearing`.
  std::vector<std::string> removed;
};

// Throws InputError, NotFound or Conflict if the event is impossible; the state is then left
// unchanged.
Effects step(State& state, const Event& event, const Now& now, const Settings& settings);

// True if a report of this attempt still counts: it runs, or its lease was lost but no newer
// attempt was given out, and the task has neither been settled otherwise nor been requeued.
bool still_valid(const State& state, const std::string& task_id, int64_t attempt, int64_t fence);

}  // namespace remixer::coordinator
