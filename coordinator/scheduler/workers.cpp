// SPDX-License-Identifier: Apache-2.0
// Handles events of workers: register, claim, die.
#include <algorithm>

#include "coordinator/scheduler/handlers.h"
#include "coordinator/scheduler/placement.h"

namespace remixer::coordinator {

using experiments::protocol::Assignment;
using experiments::protocol::ClaimReply;
using experiments::protocol::RegisterWorker;
using experiments::protocol::TaskInput;
using experiments::protocol::WorkerRegistered;

namespace {

bool same_process(const RegisterWorker& a, const RegisterWorker& b) {
  return a.host == b.host && a.boot_id == b.boot_id && a.pid == b.pid &&
         a.pid_namespace == b.pid_namespace && a.started == b.started;
}

Assignment assignment_of(const TaskEntry& entry) {
  Assignment assignment;
  assignment.task_id = entry.id();
  assignment.task.kind = entry.kind;
  assignment.task.title = entry.title;
  if (entry.cell) assignment.task.cell_id = entry.cell->id();
  assignment.attempt = entry.newest->number;
  assignment.fence = entry.newest->fence;
  assignment.folder = attempt_folder(entry.id(), entry.newest->number);
  for (int64_t number = 1; number < entry.newest->number; ++number) {
    assignment.previous.push_back(attempt_folder(entry.id(), number));
  }
  assignment.results_from = entry.given_up + 1;
  for (const TaskEntry* dependency : entry.dependencies) {
    assignment.task.dependencies.push_back(dependency->id());
    TaskInput input;
    input.task_id = dependency->id();
    input.kind = dependency->kind;
    assignment.inputs.push_back(std::move(input));
  }
  return assignment;
}

// The worker's running attempt, if any.
TaskEntry* running_task(State& state, const std::string& worker_id) {
  for (const std::string& id : state.held) {
    TaskEntry& entry = state.task(id);
    if (entry.newest->worker_id == worker_id && entry.newest->state == AttemptState::kRunning) {
      return &entry;
    }
  }
  return nullptr;
}

void give_out(Transition& t, TaskEntry& entry, const std::string& worker_id) {
  auto attempt = std::make_unique<Attempt>();
  attempt->number = ++entry.attempts;
  attempt->fence = entry.fence = t.state.next_fence++;
  attempt->worker_id = worker_id;
  attempt->started_wall = t.now.wall;
  attempt->started = attempt->progress_at = attempt->heard_at = t.now.monotonic;
  attempt->held_until = t.now.monotonic + t.settings.lease_seconds;
  entry.newest = std::move(attempt);
  t.state.held.insert(entry.id());
  t.effects.writes.push_back(PutAttempt{entry.number, *entry.newest});
  set_task_state(t, entry, TaskState::kRunning);
}

}  // namespace

void handle(Transition& t, const RegisterEvent& event) {
  Worker* worker = nullptr;
  for (auto& [id, known] : t.state.workers) {
    // The same request again. Its environment is stored with its attempts, so it must be the same
    // too.
    if (!known.gone && same_process(known.about, event.worker) &&
        known.about.version == event.worker.version &&
        known.about.environment == event.worker.environment) {
      worker = &known;
    }
  }
  if (!worker) {
    const std::string id = fmt::format("w{}", t.state.next_worker++);
    worker = &t.state.workers[id];
    worker->id = id;
  }
  worker->about = event.worker;
  worker->seen = t.now.monotonic;
  worker->gone = false;
  t.effects.writes.push_back(PutWorker{*worker});
  t.effects.reply = WorkerRegistered{worker->id, t.settings.lease_seconds,
                                     t.settings.heartbeat_seconds, t.settings.workspace};
}

void handle(Transition& t, const ClaimEvent& event) {
  const auto worker = t.state.workers.find(event.worker_id);
  if (worker == t.state.workers.end()) {
    throw NotFound(fmt::format("no worker {}: register first", event.worker_id));
  }
  worker->second.seen = t.now.monotonic;
  worker->second.gone = false;
  ClaimReply reply;
  reply.retry_seconds = t.settings.poll_seconds;
  if (event.result) reply.result = take_result(t, *event.result);
  TaskEntry* task = running_task(t.state, event.worker_id);
  if (t.state.stopping) {
    reply.exit = true;
  } else if (task) {
    // The answer to its last claim was lost: give the same again, with a lease from now, as the
    // worker will count it. A late old claim also does no harm then.
    task->newest->held_until = t.now.monotonic + t.settings.lease_seconds;
    reply.assignment = assignment_of(*task);
  } else {
    task = next_task(t.state, worker->second, t.now, t.settings, reply.retry_seconds);
    if (task) {
      give_out(t, *task, event.worker_id);
      reply.assignment = assignment_of(*task);
    }
  }
  t.effects.reply = std::move(reply);
}

void handle(Transition& t, const AdoptEvent& event) {
  if (!t.state.workers.count(event.worker_id)) {
    throw NotFound(fmt::format("no worker {}: register first", event.worker_id));
  }
  TaskEntry& entry = t.state.task(event.result.task_id);
  const double held = entry.newest ? entry.newest->held_until - t.now.monotonic : 0;
  if (entry.state == TaskState::kDone || entry.state == TaskState::kRunning || held > 0) {
    t.effects.reply = experiments::protocol::ResultReply{
        false, fmt::format("'{}' is {} already", entry.title, to_string(entry.state))};
    return;
  }
  give_out(t, entry, event.worker_id);
  experiments::protocol::AttemptResult result = event.result;
  result.worker_id = event.worker_id;
  result.attempt = entry.newest->number;
  result.fence = entry.newest->fence;
  t.effects.reply = take_result(t, result);
}

void handle(Transition& t, const WorkerGoneEvent& event) {
  const auto worker = t.state.workers.find(event.worker_id);
  if (worker == t.state.workers.end() || worker->second.gone) return;
  worker->second.gone = true;
  t.effects.writes.push_back(PutWorker{worker->second});
  const std::vector<std::string> held(t.state.held.begin(), t.state.held.end());
  for (const std::string& id : held) {
    TaskEntry& entry = t.state.task(id);
    Attempt& attempt = *entry.newest;
    if (attempt.worker_id != event.worker_id) continue;
    if (attempt.state == AttemptState::kRunning) {
      lose_attempt(t, entry,
                   fmt::format("worker {} {} at step {}", worker->second.about.name, event.why,
                               attempt.step),
                   true, event.counts);
    } else {
      attempt.held_until = 0;
      t.state.held.erase(id);
      t.effects.writes.push_back(PutAttempt{entry.number, attempt});
    }
  }
}

}  // namespace remixer::coordinator
