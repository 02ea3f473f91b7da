// Events of attempts: they report progress and their end.
#include <algorithm>

#include "coordinator/scheduler/handlers.h"

namespace remixer::coordinator {

using experiments::protocol::AttemptResult;
using experiments::protocol::Ending;
using experiments::protocol::Heartbeat;
using experiments::protocol::HeartbeatReply;
using experiments::protocol::MetricPoint;
using experiments::protocol::Order;
using experiments::protocol::ResultReply;

namespace {

void keep_metrics(Transition& t, const std::string& id, Attempt& attempt,
                  const std::vector<MetricPoint>& points) {
  if (points.empty()) return;
  for (const MetricPoint& point : points) attempt.metrics[point.name] = point.value;
  t.effects.writes.push_back(PutMetrics{id, attempt.fence, points});
}

// An attempt whose lease was lost, but that nobody has replaced, goes on.
void reinstate(Transition& t, const std::string& id) {
  TaskEntry& entry = t.state.task(id);
  Attempt& attempt = entry.newest.value();
  if (attempt.counted_crash) --entry.crashes;
  attempt.counted_crash = false;
  entry.seconds -= std::max(0.0, attempt.ended_wall - attempt.started_wall);
  attempt.state = AttemptState::kRunning;
  attempt.ended_wall = 0;
  attempt.reason.clear();
  attempt.progress_at = t.now.monotonic;
  attempt.held_until = t.now.monotonic + t.settings.lease_seconds;
  entry.reason.clear();
  entry.done_wall = 0;
  t.state.held.insert(id);
  t.effects.writes.push_back(PutAttempt{id, attempt});
  set_task_state(t, id, TaskState::kRunning);
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
      return state == AttemptState::kReleased;
    default:
      return state == AttemptState::kFailed;
  }
}

std::string refusal(const State& state, const AttemptResult& result) {
  const auto found = state.tasks.find(result.task_id);
  if (found == state.tasks.end() || !found->second.newest) {
    return fmt::format("no attempt {} of task {} was given out", result.attempt, result.task_id);
  }
  const Attempt& newest = found->second.newest.value();
  if (newest.number != result.attempt || newest.fence != result.fence) {
    return fmt::format("attempt {} (fence {}) is not the newest, which is {} (fence {})",
                       result.attempt, result.fence, newest.number, newest.fence);
  }
  return fmt::format("attempt {} has ended already: {}", result.attempt, to_string(newest.state));
}

void commit_result(Transition& t, const AttemptResult& result) {
  TaskEntry& entry = t.state.task(result.task_id);
  entry.result = result.result;
  entry.reason.clear();
  entry.done_wall = t.now.wall;
  end_attempt(t, result.task_id, AttemptState::kDone, "", true);
  t.effects.writes.push_back(PutFigures{result.task_id, result.fence, result.figures});
  set_task_state(t, result.task_id, TaskState::kDone);
}

void settle_result(Transition& t, const AttemptResult& result) {
  const std::string& id = result.task_id;
  switch (result.ending) {
    case Ending::kDone:
      commit_result(t, result);
      return;
    case Ending::kReleased:
      end_attempt(t, id, AttemptState::kReleased, result.reason, true);
      queue_task(t, id);
      return;
    case Ending::kFailed:
      fail_attempt(t, id, result.reason, true);
      return;
    case Ending::kBadInput:
    case Ending::kOutOfMemory: {
      TaskEntry& entry = t.state.task(id);
      entry.reason = result.reason;
      entry.done_wall = t.now.wall;
      end_attempt(t, id, AttemptState::kFailed, result.reason, true);
      set_task_state(t, id, TaskState::kFailed);
      return;
    }
  }
}

}  // namespace

void handle(Transition& t, const HeartbeatEvent& event) {
  const Heartbeat& heartbeat = event.heartbeat;
  see_worker(t, heartbeat.worker_id);
  if (!still_valid(t.state, heartbeat.task_id, heartbeat.attempt, heartbeat.fence)) {
    t.effects.reply = HeartbeatReply{Order::kAbandon};
    return;
  }
  Attempt& attempt = t.state.task(heartbeat.task_id).newest.value();
  if (attempt.state == AttemptState::kLost) reinstate(t, heartbeat.task_id);
  note_progress(t, attempt, heartbeat);
  attempt.held_until = t.now.monotonic + t.settings.lease_seconds;
  keep_metrics(t, heartbeat.task_id, attempt, heartbeat.metrics);
  t.effects.reply = HeartbeatReply{t.state.stopping ? Order::kStop : Order::kContinue};
}

void handle(Transition& t, const ResultEvent& event) {
  const AttemptResult& result = event.result;
  see_worker(t, result.worker_id);
  if (!still_valid(t.state, result.task_id, result.attempt, result.fence)) {
    const auto found = t.state.tasks.find(result.task_id);
    // The same report twice, since the first answer was lost.
    const bool repeated = found != t.state.tasks.end() && found->second.newest &&
                          found->second.newest->number == result.attempt &&
                          found->second.newest->fence == result.fence &&
                          finished_state(found->second.newest->state, result.ending);
    t.effects.reply = ResultReply{repeated, repeated ? "" : refusal(t.state, result)};
    return;
  }
  Attempt& attempt = t.state.task(result.task_id).newest.value();
  if (attempt.state == AttemptState::kLost) reinstate(t, result.task_id);
  attempt.heard_at = t.now.monotonic;
  keep_metrics(t, result.task_id, attempt, result.metrics);
  settle_result(t, result);
  t.effects.reply = ResultReply{true, ""};
}

}  // namespace remixer::coordinator
