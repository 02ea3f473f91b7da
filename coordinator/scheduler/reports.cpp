// SPDX-License-Identifier: Apache-2.0
// Handles reports of attempts: progress and end.
#include <algorithm>
#include <cmath>

#include "coordinator/scheduler/handlers.h"
#include "coordinator/scheduler/index.h"
#include "coordinator/scheduler/placement.h"

namespace remixer::coordinator {

using experiments::protocol::AttemptResult;
using experiments::protocol::Ending;
using experiments::protocol::Heartbeat;
using experiments::protocol::HeartbeatReply;
using experiments::protocol::MetricPoint;
using experiments::protocol::Order;
using experiments::protocol::ResultReply;

namespace {

void keep_metrics(Transition& t, Attempt& attempt, const std::vector<MetricPoint>& points) {
  if (points.empty()) return;
  for (const MetricPoint& point : points) attempt.metrics[point.name] = point.value;
  t.effects.writes.push_back(PutMetrics{attempt.fence, points});
}

// Resumes an attempt whose lease was lost but which no other attempt has replaced.
void reinstate(Transition& t, TaskEntry& entry) {
  Attempt& attempt = *entry.newest;
  entry.crashes = std::max(0, entry.crashes - attempt.counted_crash);
  entry.alone = std::max(0, entry.alone - attempt.counted_alone);
  attempt.counted_crash = attempt.counted_alone = false;
  set_seconds(entry, entry.seconds - std::max(0.0, attempt.ended_wall - attempt.started_wall));
  attempt.state = AttemptState::kRunning;
  attempt.ended_wall = 0;
  attempt.reason.clear();
  attempt.progress_at = t.now.monotonic;
  attempt.held_until = t.now.monotonic + t.settings.lease_seconds;
  entry.reason.clear();
  entry.not_before = 0;
  t.state.held.insert(entry.id());
  t.effects.writes.push_back(PutAttempt{entry.number, attempt});
  set_task_state(t, entry, TaskState::kRunning);
  entry.done_wall = 0;
}

void note_progress(Transition& t, Attempt& attempt, const Heartbeat& heartbeat) {
  if (heartbeat.step != attempt.step || heartbeat.activity != attempt.activity) {
    attempt.progress_at = t.now.monotonic;
  }
  if (attempt.first_step < 0 || heartbeat.activity != attempt.activity) {
    attempt.first_step = heartbeat.step;
    attempt.first_step_at = t.now.monotonic;
  }
  attempt.step = heartbeat.step;
  attempt.total_steps = heartbeat.total_steps;
  attempt.activity = heartbeat.activity;
  attempt.heard_at = t.now.monotonic;
}

void see_worker(Transition& t, const std::string& worker_id) {
  const auto worker = t.state.workers.find(worker_id);
  if (worker == t.state.workers.end()) return;
  worker->second.seen = t.now.monotonic;
  worker->second.gone = false;
}

bool finished_state(AttemptState state, Ending ending) {
  switch (ending) {
    case Ending::kDone:
      return state == AttemptState::kDone;
    case Ending::kReleased:
    case Ending::kNoSpace:
      return state == AttemptState::kReleased;
    default:
      return state == AttemptState::kFailed;
  }
}

std::string refusal(const State& state, const AttemptResult& result) {
  const auto found = state.tasks.find(result.task_id);
  if (found == state.tasks.end() || found->second.attempts == 0) {
    return fmt::format("no attempt {} of task {} was given out", result.attempt, result.task_id);
  }
  const TaskEntry& entry = found->second;
  if (entry.attempts != result.attempt || entry.fence != result.fence) {
    return fmt::format("attempt {} (fence {}) is not the newest, which is {} (fence {})",
                       result.attempt, result.fence, entry.attempts, entry.fence);
  }
  return fmt::format("attempt {} has ended already: {}", result.attempt,
                     entry.newest ? to_string(entry.newest->state) : "done");
}

// The same report again, because the first answer was lost.
bool repeated(const State& state, const AttemptResult& result) {
  const auto found = state.tasks.find(result.task_id);
  if (found == state.tasks.end()) return false;
  const TaskEntry& entry = found->second;
  if (entry.attempts != result.attempt || entry.fence != result.fence) return false;
  if (!entry.newest) return result.ending == Ending::kDone && entry.state == TaskState::kDone;
  return finished_state(entry.newest->state, result.ending);
}

// Another worker has done what failed on these workers, so they are to blame, not the task.
void blame(Transition& t, const TaskEntry& entry) {
  const auto failed = t.state.failed_on.find(entry.id());
  const std::string& doer = entry.newest->worker_id;
  if (failed != t.state.failed_on.end()) {
    for (const std::string& id : failed->second) {
      const auto worker = t.state.workers.find(id);
      if (id != doer && worker != t.state.workers.end()) ++worker->second.blamed;
    }
    t.state.failed_on.erase(failed);
  }
  const auto worker = t.state.workers.find(doer);
  if (worker != t.state.workers.end()) worker->second.blamed = 0;
}

// A full disk is the site's problem: nothing is counted, and nothing is given out for a while.
void note_no_space(Transition& t, TaskEntry& entry, const std::string& reason) {
  NoSpace& trouble = t.state.no_space;
  const double pause =
      std::min(t.settings.longest_no_space_seconds,
               t.settings.no_space_seconds * std::pow(2.0, std::min(trouble.times, 20)));
  ++trouble.times;
  trouble.since = t.now.monotonic;
  trouble.until = t.now.monotonic + pause;
  trouble.reason = reason;
  end_attempt(t, entry, AttemptState::kReleased, "no room: " + reason, true);
  queue_task(t, entry);
}

// Do not blame the task for bad input until another host agrees: a node may lack files of others.
bool may_be_the_worker(Transition& t, const TaskEntry& entry) {
  return t.state.failed_on.count(entry.id()) == 0 &&
         another_host_can(t.state, entry, t.now, t.settings);
}

void commit_result(Transition& t, TaskEntry& entry, const AttemptResult& result) {
  blame(t, entry);
  t.state.no_space = {};
  t.effects.writes.push_back(
      PutResult{entry.number, result.fence, result.result.dump(), result.figures});
  entry.reason.clear();
  entry.done_wall = t.now.wall;
  end_attempt(t, entry, AttemptState::kDone, "", true);
  set_task_state(t, entry, TaskState::kDone);
  entry.newest.reset();
}

void settle_result(Transition& t, TaskEntry& entry, const AttemptResult& result) {
  switch (result.ending) {
    case Ending::kDone:
      commit_result(t, entry, result);
      return;
    case Ending::kReleased:
      end_attempt(t, entry, AttemptState::kReleased, result.reason, true);
      queue_task(t, entry);
      return;
    case Ending::kFailed:
      t.state.failed_on[entry.id()].insert(entry.newest->worker_id);
      fail_attempt(t, entry, result.reason, true);
      return;
    case Ending::kNoSpace:
      note_no_space(t, entry, result.reason);
      return;
    case Ending::kBadInput:
      if (may_be_the_worker(t, entry)) {
        t.state.failed_on[entry.id()].insert(entry.newest->worker_id);
        fail_attempt(t, entry, result.reason, true);
        entry.not_before = 0;
        return;
      }
      [[fallthrough]];
    case Ending::kOutOfMemory:
      entry.reason = result.reason;
      entry.done_wall = t.now.wall;
      end_attempt(t, entry, AttemptState::kFailed, result.reason, true);
      set_task_state(t, entry, TaskState::kFailed);
      return;
  }
}

// True if all grids that want the task are paused immediately, without letting tasks finish.
bool paused_now(const TaskEntry& entry) {
  bool paused = false;
  for (const GridEntry* grid : entry.grids) {
    if (grid->cancelled) continue;
    if (grid->paused != Pause::kNow) return false;
    paused = true;
  }
  return paused;
}

}  // namespace

void handle(Transition& t, const HeartbeatEvent& event) {
  const Heartbeat& heartbeat = event.heartbeat;
  see_worker(t, heartbeat.worker_id);
  if (!still_valid(t.state, heartbeat.task_id, heartbeat.attempt, heartbeat.fence)) {
    t.effects.reply = HeartbeatReply{Order::kAbandon};
    return;
  }
  TaskEntry& entry = t.state.task(heartbeat.task_id);
  Attempt& attempt = *entry.newest;
  if (attempt.state == AttemptState::kLost) reinstate(t, entry);
  note_progress(t, attempt, heartbeat);
  attempt.held_until = t.now.monotonic + t.settings.lease_seconds;
  keep_metrics(t, attempt, heartbeat.metrics);
  const bool stop = t.state.stopping || paused_now(entry);
  t.effects.reply = HeartbeatReply{stop ? Order::kStop : Order::kContinue};
}

ResultReply take_result(Transition& t, const AttemptResult& result) {
  see_worker(t, result.worker_id);
  if (!still_valid(t.state, result.task_id, result.attempt, result.fence)) {
    if (repeated(t.state, result)) return {true, ""};
    return {false, refusal(t.state, result)};
  }
  TaskEntry& entry = t.state.task(result.task_id);
  if (entry.newest->state == AttemptState::kLost) reinstate(t, entry);
  entry.newest->heard_at = t.now.monotonic;
  keep_metrics(t, *entry.newest, result.metrics);
  settle_result(t, entry, result);
  return {true, ""};
}

void handle(Transition& t, const RenewEvent& event) {
  if (!still_valid(t.state, event.task_id, event.attempt, event.fence)) {
    t.effects.reply = HeartbeatReply{Order::kAbandon};
    return;
  }
  TaskEntry& entry = t.state.task(event.task_id);
  if (entry.newest->state == AttemptState::kLost) reinstate(t, entry);
  entry.newest->heard_at = entry.newest->progress_at = t.now.monotonic;
  entry.newest->held_until = t.now.monotonic + t.settings.lease_seconds;
  t.effects.reply = HeartbeatReply{Order::kContinue};
}

void handle(Transition& t, const ResultEvent& event) {
  t.effects.reply = take_result(t, event.result);
}

}  // namespace remixer::coordinator
