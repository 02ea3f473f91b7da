// SPDX-License-Identifier: Apache-2.0
// The scheduler's one function: (state, event, now) → state changed, effects. No input or output,
// no clock, no threads: what it wants stored, deleted and answered it returns.
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
  // Done tasks whose files are no longer in the workspace: run again.
  std::set<std::string> missing;
  // As of FoldersEvent, of the grid's tasks.
  std::map<std::string, int64_t> folders;
};
// Folders of attempts in the workspace that the database does not know (an older copy of it was put
// back, or it is a new one): the highest number by task. New attempts get numbers after these, so
// that no two write into one folder.
struct FoldersEvent {
  std::map<std::string, int64_t> folders;
};
struct RegisterEvent {
  experiments::protocol::RegisterWorker worker;
};
// With a result, that is taken first.
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
// The attempt's result is being put in its place: its lease counts from now. HeartbeatReply:
// kAbandon where the attempt counts no more.
struct RenewEvent {
  std::string task_id;
  int64_t attempt = 0, fence = 0;
};
// A finished result that was read back from the workspace: becomes a new attempt of this worker, at
// once done. ResultReply.
struct AdoptEvent {
  std::string worker_id;
  experiments::protocol::AttemptResult result;
};
// From now on (1), or no longer (-1), files of the task are being deleted: it is not given out.
struct ClearingEvent {
  std::string task_id;
  int change = 1;
};
// Time has passed: leases end, attempts stall.
struct TickEvent {};
// The worker's process is known to have ended. `counts`: it may have been its task's doing; not so
// where it was preempted, its node failed or its time was over.
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
// Failed, blocked and cancelled tasks are queued again, with what they depend on; `missing` as
// above.
struct RetryTaskEvent {
  std::string task_id;
  std::set<std::string> missing;
};
struct RetryGridEvent {
  int64_t grid_id = 0;
  std::set<std::string> missing;
};
// The task's result and files go, and those of what depends on it: cancelled, to be run again when
// it is submitted or retried. Conflict while a worker may still be writing.
struct RemoveTaskEvent {
  std::string task_id;
};
// The same for all that no other grid holds; the grid itself is gone afterwards.
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
// The owner's command or webhook has taken the notice.
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

// Answers. An assignment names tasks, attempt and folders; specs, results and the cell are for the
// store to fill in (Store::complete).
struct CountReply {
  int64_t tasks = 0;  // how many changed
};
using Reply = std::variant<std::monostate, experiments::protocol::GridSubmitted,
                           experiments::protocol::WorkerRegistered,
                           experiments::protocol::ClaimReply, experiments::protocol::HeartbeatReply,
                           experiments::protocol::ResultReply, CountReply>;

// What is to be stored, in this order, all or nothing, before the answer is given. Cells and tasks
// go by their numbers.
struct PutCell {  // new, or with other names
  std::shared_ptr<const PreparedGrid> grid;
  size_t index = 0;  // into grid->cells
  int64_t number = 0;
};
struct PutTask {
  std::shared_ptr<const PreparedGrid> grid;
  size_t index = 0;  // into grid->tasks
  int64_t number = 0, cell = 0;
  int64_t order = 0;  // it waits at first
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
struct PutGrid {  // new: with its members
  std::shared_ptr<const PreparedGrid> grid;
  int64_t id = 0;
  std::string key;
  std::vector<int64_t> cells, tasks;
};
struct PutGridState {
  int64_t id = 0;
  std::string description;
  std::string text;  // empty: as it is
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
// The one result of a task, with its figures. The store refuses it where the task has one, or the
// fence is not the newest.
struct PutResult {
  int64_t task = 0, fence = 0;
  std::string result;  // JSON
  std::vector<experiments::protocol::Figure> figures;
};
struct DeleteFigures {
  int64_t task = 0;
};
// Something to tell the owner, kept until it is taken.
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
  // Tasks whose files are to be deleted, after the commit; then they are no longer `clearing`.
  std::vector<std::string> removed;
};

// Throws InputError, NotFound or Conflict where the event is impossible; the state is then
// unchanged.
Effects step(State& state, const Event& event, const Now& now, const Settings& settings);

// True where a report of this attempt still counts: it runs, or its lease was lost but no newer
// attempt was given out, and the task has neither been settled otherwise nor queued again.
bool still_valid(const State& state, const std::string& task_id, int64_t attempt, int64_t fence);

}  // namespace remixer::coordinator
