#include "coordinator/scheduler/lifecycle.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace remixer::coordinator {
namespace {

bool stuck(TaskState state) {
  return state == TaskState::kFailed || state == TaskState::kBlocked ||
         state == TaskState::kCancelled;
}

bool unfinished(TaskState state) {
  return state == TaskState::kWaiting || state == TaskState::kReady || state == TaskState::kBlocked;
}

}  // namespace

TaskState unfinished_state(const State& state, const TaskEntry& entry) {
  bool all_done = true;
  for (const std::string& dependency : entry.task.dependencies) {
    const TaskState there = state.task(dependency).state;
    if (stuck(there)) return TaskState::kBlocked;
    all_done = all_done && there == TaskState::kDone;
  }
  return all_done ? TaskState::kReady : TaskState::kWaiting;
}

void put_task_state(Transition& t, const std::string& id) {
  const TaskEntry& entry = t.state.task(id);
  t.effects.writes.push_back(PutTaskState{id, entry.state, entry.order, entry.attempts,
                                          entry.failures, entry.crashes, entry.reason, entry.result,
                                          entry.seconds, entry.done_wall});
}

void set_task_state(Transition& t, const std::string& id, TaskState to) {
  TaskEntry& entry = t.state.task(id);
  const TaskState from = entry.state;
  if (from == TaskState::kReady) t.state.ready.erase({entry.order, id});
  entry.state = to;
  if (to == TaskState::kReady) t.state.ready.insert({entry.order, id});
  ++t.state.revision;
  put_task_state(t, id);
  if (from == to) return;
  for (const std::string& dependant : entry.dependants) {
    const TaskEntry& other = t.state.task(dependant);
    if (!unfinished(other.state)) continue;
    const TaskState next = unfinished_state(t.state, other);
    if (next != other.state) set_task_state(t, dependant, next);
  }
}

void queue_task(Transition& t, const std::string& id) {
  set_task_state(t, id, unfinished_state(t.state, t.state.task(id)));
}

void queue_again(Transition& t, const std::string& id) {
  TaskEntry& entry = t.state.task(id);
  assert(entry.state != TaskState::kRunning);
  if (entry.state == TaskState::kReady) t.state.ready.erase({entry.order, id});
  entry.order = t.state.next_order++;
  entry.failures = entry.crashes = 0;
  entry.reason.clear();
  entry.result = nullptr;
  entry.not_before = 0;
  entry.done_wall = 0;
  queue_task(t, id);
}

void end_attempt(Transition& t, const std::string& id, AttemptState to, const std::string& reason,
                 bool reported) {
  TaskEntry& entry = t.state.task(id);
  Attempt& attempt = entry.newest.value();
  attempt.state = to;
  attempt.reason = reason;
  attempt.ended_wall = t.now.wall;
  entry.seconds += std::max(0.0, attempt.ended_wall - attempt.started_wall);
  if (reported) {
    attempt.held_until = 0;
    t.state.held.erase(id);
  }
  t.effects.writes.push_back(PutAttempt{id, attempt});
}

void lose_attempt(Transition& t, const std::string& id, const std::string& reason,
                  bool worker_gone) {
  TaskEntry& entry = t.state.task(id);
  Attempt& attempt = entry.newest.value();
  // An end that came with the daemon's own says nothing about the task.
  attempt.counted_crash = !attempt.inherited && !t.state.stopping;
  if (attempt.counted_crash) ++entry.crashes;
  end_attempt(t, id, AttemptState::kLost, reason, worker_gone);
  if (entry.crashes >= t.settings.crash_limit) {
    entry.reason =
        fmt::format("crash limit: its worker died {} times, last: {}", entry.crashes, reason);
    entry.done_wall = t.now.wall;
    set_task_state(t, id, TaskState::kFailed);
  } else {
    queue_task(t, id);
  }
}

void fail_attempt(Transition& t, const std::string& id, const std::string& reason, bool reported) {
  TaskEntry& entry = t.state.task(id);
  ++entry.failures;
  end_attempt(t, id, AttemptState::kFailed, reason, reported);
  if (entry.failures >= t.settings.failure_limit) {
    entry.reason = fmt::format("failed {} times, last: {}", entry.failures, reason);
    entry.done_wall = t.now.wall;
    set_task_state(t, id, TaskState::kFailed);
  } else {
    entry.not_before = t.now.monotonic + t.settings.backoff_seconds *
                                             std::pow(4.0, static_cast<double>(entry.failures - 1));
    queue_task(t, id);
  }
}

}  // namespace remixer::coordinator
