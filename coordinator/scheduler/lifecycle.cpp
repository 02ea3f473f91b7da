// SPDX-License-Identifier: Apache-2.0
#include "coordinator/scheduler/lifecycle.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "coordinator/scheduler/index.h"
#include "coordinator/scheduler/placement.h"

namespace remixer::coordinator {
namespace {

bool unfinished(TaskState state) {
  return state == TaskState::kWaiting || state == TaskState::kReady || state == TaskState::kBlocked;
}

void settle_failed(Transition& t, TaskEntry& entry, const std::string& reason) {
  entry.reason = reason;
  entry.done_wall = t.now.wall;
  set_task_state(t, entry, TaskState::kFailed);
}

// Counts a lost worker against its task. If the task made progress since its last loss, it is not
// what kills workers, and the count starts again.
void count_loss(Transition& t, TaskEntry& entry) {
  Attempt& attempt = *entry.newest;
  if (attempt.step > entry.furthest) entry.crashes = entry.alone = 0;
  entry.furthest = std::max(entry.furthest, attempt.step);
  attempt.counted_crash = true;
  attempt.counted_alone = runs_alone(t.state, entry, t.now, t.settings);
  const auto worker = t.state.workers.find(attempt.worker_id);
  if (worker != t.state.workers.end()) worker->second.lost = t.now.monotonic;
  ++entry.crashes;
  entry.alone += attempt.counted_alone;
}

double loss_backoff(const Settings& settings, int32_t crashes) {
  if (crashes < 2) return 0;
  return std::min(settings.longest_backoff_seconds,
                  settings.loss_backoff_seconds * std::pow(2.0, std::min(crashes - 2, 30)));
}

}  // namespace

void forget_grid(Transition& t, GridEntry& grid) {
  remove_members(grid);
  t.effects.writes.push_back(DeleteGrid{grid.id});
  t.state.grids.erase(grid.id);
}

TaskState unfinished_state(const TaskEntry& entry) {
  bool all_done = true;
  for (const TaskEntry* dependency : entry.dependencies) {
    if (stuck(dependency->state)) return TaskState::kBlocked;
    all_done = all_done && dependency->state == TaskState::kDone;
  }
  return all_done ? TaskState::kReady : TaskState::kWaiting;
}

void put_task_state(Transition& t, const TaskEntry& entry) {
  t.effects.writes.push_back(PutTaskState{
      entry.number, entry.state, entry.order, entry.attempts, entry.fence, entry.failures,
      entry.crashes, entry.alone, entry.given_up, entry.reason, entry.seconds, entry.done_wall});
}

void put_grid_state(Transition& t, const GridEntry& grid, const std::string& text) {
  t.effects.writes.push_back(PutGridState{grid.id, grid.description, text, grid.submitted_wall,
                                          grid.cancelled, grid.paused, grid.said, grid.settings});
}

void set_task_state(Transition& t, TaskEntry& entry, TaskState to) {
  const TaskState from = entry.state;
  set_state(t.state, entry, to);
  ++t.state.revision;
  put_task_state(t, entry);
  for (const GridEntry* grid : entry.grids) t.touched.insert(grid->id);
  if (from == to) return;
  for (TaskEntry* dependant : entry.dependants) {
    if (!unfinished(dependant->state)) continue;
    const TaskState next = unfinished_state(*dependant);
    if (next != dependant->state) set_task_state(t, *dependant, next);
  }
}

void queue_task(Transition& t, TaskEntry& entry) {
  set_task_state(t, entry, unfinished_state(entry));
}

void queue_again(Transition& t, TaskEntry& entry) {
  assert(entry.state != TaskState::kRunning);
  set_order(entry, t.state.next_order++);
  if (entry.state == TaskState::kDone) t.effects.writes.push_back(DeleteFigures{entry.number});
  entry.failures = entry.crashes = entry.alone = 0;
  entry.furthest = 0;
  entry.given_up = static_cast<int32_t>(entry.attempts);
  t.state.failed_on.erase(entry.id());
  entry.reason.clear();
  entry.not_before = 0;
  queue_task(t, entry);
  entry.done_wall = 0;
}

void end_attempt(Transition& t, TaskEntry& entry, AttemptState to, const std::string& reason,
                 bool reported) {
  Attempt& attempt = *entry.newest;
  attempt.state = to;
  attempt.reason = reason;
  attempt.ended_wall = t.now.wall;
  set_seconds(entry, entry.seconds + std::max(0.0, attempt.ended_wall - attempt.started_wall));
  if (reported) {
    attempt.held_until = 0;
    t.state.held.erase(entry.id());
  }
  t.effects.writes.push_back(PutAttempt{entry.number, attempt});
}

void lose_attempt(Transition& t, TaskEntry& entry, const std::string& reason, bool worker_gone,
                  bool counts) {
  // A loss caused by the daemon's own end says nothing about the task.
  if (counts && !entry.newest->inherited && !t.state.stopping) count_loss(t, entry);
  end_attempt(t, entry, AttemptState::kLost, reason, worker_gone);
  if (entry.alone >= t.settings.crash_limit) {
    settle_failed(t, entry,
                  fmt::format("crash limit: its worker died {} times while nothing else ran on its "
                              "host, last: {}",
                              entry.alone, reason));
    return;
  }
  if (entry.newest->counted_crash) {
    entry.not_before = t.now.monotonic + loss_backoff(t.settings, entry.crashes);
  }
  queue_task(t, entry);
}

void fail_attempt(Transition& t, TaskEntry& entry, const std::string& reason, bool reported) {
  ++entry.failures;
  end_attempt(t, entry, AttemptState::kFailed, reason, reported);
  if (entry.failures >= t.settings.failure_limit) {
    settle_failed(t, entry, fmt::format("failed {} times, last: {}", entry.failures, reason));
    return;
  }
  entry.not_before =
      t.now.monotonic +
      std::min(t.settings.longest_backoff_seconds,
               t.settings.backoff_seconds * std::pow(4.0, static_cast<double>(entry.failures - 1)));
  queue_task(t, entry);
}

}  // namespace remixer::coordinator
