// The scheduler's one function: (state, event, now) → state changed, effects. No input or output,
// no clock, no threads: what it wants stored and answered it returns.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

// Events.
struct SubmitEvent {
  experiments::protocol::SubmitGrid grid;
  // Done tasks whose files are no longer in the workspace: run again.
  std::set<std::string> missing;
};
struct RegisterEvent {
  experiments::protocol::RegisterWorker worker;
};
struct ClaimEvent {
  std::string worker_id;
};
struct HeartbeatEvent {
  experiments::protocol::Heartbeat heartbeat;
};
struct ResultEvent {
  experiments::protocol::AttemptResult result;
};
// Time has passed: leases end, attempts stall.
struct TickEvent {};
// The worker's process is known to have ended.
struct WorkerGoneEvent {
  std::string worker_id;
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
// From now on nothing is given out and workers are asked to stop.
struct ShutdownEvent {};
using Event = std::variant<SubmitEvent, RegisterEvent, ClaimEvent, HeartbeatEvent, ResultEvent,
                           TickEvent, WorkerGoneEvent, CancelTaskEvent, CancelGridEvent,
                           RetryTaskEvent, RetryGridEvent, ShutdownEvent>;

// Answers.
struct CountReply {
  int64_t tasks = 0;  // how many changed
};
using Reply = std::variant<std::monostate, experiments::protocol::GridSubmitted,
                           experiments::protocol::WorkerRegistered,
                           experiments::protocol::ClaimReply, experiments::protocol::HeartbeatReply,
                           experiments::protocol::ResultReply, CountReply>;

// What is to be stored, in this order, all or nothing, before the answer is given.
struct PutCell {
  Cell cell;
  std::string id;
};
struct PutTask {  // new, or with another title
  std::string id;
  Task task;
};
struct PutTaskState {
  std::string id;
  TaskState state = TaskState::kWaiting;
  int64_t order = 0, attempts = 0, failures = 0, crashes = 0;
  std::string reason;
  Json result;
  double seconds = 0, done_wall = 0;
};
struct PutAttempt {
  std::string task_id;
  Attempt attempt;
};
struct PutWorker {
  Worker worker;
};
struct PutGrid {
  GridEntry grid;
  std::string text;  // the grid file
};
struct PutMetrics {
  std::string task_id;
  int64_t fence = 0;
  std::vector<experiments::protocol::MetricPoint> points;
};
// Replace the task's figures.
struct PutFigures {
  std::string task_id;
  int64_t fence = 0;
  std::vector<experiments::protocol::Figure> figures;
};
using Write = std::variant<PutCell, PutTask, PutTaskState, PutAttempt, PutWorker, PutGrid,
                           PutMetrics, PutFigures>;

struct Effects {
  std::vector<Write> writes;
  Reply reply;
};

// Throws InputError, NotFound or Conflict where the event is impossible; the state is then
// unchanged.
Effects step(State& state, const Event& event, const Now& now, const Settings& settings);

// True where a report of this attempt still counts: it runs, or its lease was lost but no newer
// attempt was given out and the task has not been settled otherwise.
bool still_valid(const State& state, const std::string& task_id, int64_t attempt, int64_t fence);

}  // namespace remixer::coordinator
