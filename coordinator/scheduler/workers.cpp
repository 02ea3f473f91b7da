// Events of workers: they register, claim, die.
#include <algorithm>

#include "coordinator/scheduler/handlers.h"

namespace remixer::coordinator {

using experiments::protocol::Assignment;
using experiments::protocol::ClaimReply;
using experiments::protocol::RegisterWorker;
using experiments::protocol::TaskInput;
using experiments::protocol::WorkerRegistered;

namespace {

bool same_process(const RegisterWorker& a, const RegisterWorker& b) {
  return a.host == b.host && a.boot_id == b.boot_id && a.pid == b.pid;
}

Assignment assignment_of(const State& state, const std::string& id) {
  const TaskEntry& entry = state.task(id);
  Assignment assignment;
  assignment.task_id = id;
  assignment.task = entry.task;
  assignment.attempt = entry.newest->number;
  assignment.fence = entry.newest->fence;
  assignment.folder = attempt_folder(id, entry.newest->number);
  for (int64_t number = 1; number < entry.newest->number; ++number) {
    assignment.previous.push_back(attempt_folder(id, number));
  }
  for (const std::string& dependency : entry.task.dependencies) {
    const TaskEntry& input = state.task(dependency);
    assignment.inputs.push_back(
        TaskInput{dependency, input.task.kind, input.task.spec, input.result});
  }
  if (!entry.task.cell_id.empty()) assignment.cell = state.cells.at(entry.task.cell_id);
  return assignment;
}

// The worker's running attempt, if it has one.
std::string running_task(const State& state, const std::string& worker_id) {
  for (const std::string& id : state.held) {
    const Attempt& attempt = state.task(id).newest.value();
    if (attempt.worker_id == worker_id && attempt.state == AttemptState::kRunning) return id;
  }
  return {};
}

// The first ready task that may be given out now; `wait` becomes the time to the next, if sooner.
std::string next_task(const Transition& t, double& wait) {
  for (const auto& [order, id] : t.state.ready) {
    const TaskEntry& entry = t.state.task(id);
    const double held = entry.newest ? entry.newest->held_until : 0;
    const double from = std::max(entry.not_before, held);
    if (from <= t.now.monotonic) return id;
    wait = std::min(wait, from - t.now.monotonic);
  }
  return {};
}

void give_out(Transition& t, const std::string& id, const std::string& worker_id) {
  TaskEntry& entry = t.state.task(id);
  Attempt attempt;
  attempt.number = ++entry.attempts;
  attempt.fence = t.state.next_fence++;
  attempt.worker_id = worker_id;
  attempt.started_wall = t.now.wall;
  attempt.started = attempt.progress_at = attempt.heard_at = t.now.monotonic;
  attempt.held_until = t.now.monotonic + t.settings.lease_seconds;
  entry.newest = attempt;
  t.state.held.insert(id);
  t.effects.writes.push_back(PutAttempt{id, attempt});
  set_task_state(t, id, TaskState::kRunning);
}

}  // namespace

void handle(Transition& t, const RegisterEvent& event) {
  Worker* worker = nullptr;
  for (auto& [id, known] : t.state.workers) {
    // The same request twice. What it runs on is kept with its attempts, so it must be the same
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
  const std::string running = running_task(t.state, event.worker_id);
  if (t.state.stopping) {
    reply.exit = true;
  } else if (!running.empty()) {
    // The answer to its last claim was lost: the same once more, and a lease counted from now, as
    // the worker will count it. An old claim that comes late so does no harm either.
    t.state.task(running).newest->held_until = t.now.monotonic + t.settings.lease_seconds;
    reply.assignment = assignment_of(t.state, running);
  } else {
    const std::string id = next_task(t, reply.retry_seconds);
    if (!id.empty()) {
      give_out(t, id, event.worker_id);
      reply.assignment = assignment_of(t.state, id);
    }
  }
  t.effects.reply = std::move(reply);
}

void handle(Transition& t, const WorkerGoneEvent& event) {
  const auto worker = t.state.workers.find(event.worker_id);
  if (worker == t.state.workers.end() || worker->second.gone) return;
  worker->second.gone = true;
  t.effects.writes.push_back(PutWorker{worker->second});
  const std::vector<std::string> held(t.state.held.begin(), t.state.held.end());
  for (const std::string& id : held) {
    Attempt& attempt = t.state.task(id).newest.value();
    if (attempt.worker_id != event.worker_id) continue;
    if (attempt.state == AttemptState::kRunning) {
      lose_attempt(
          t, id, fmt::format("worker {} died at step {}", worker->second.about.name, attempt.step),
          true);
    } else {
      attempt.held_until = 0;
      t.state.held.erase(id);
      t.effects.writes.push_back(PutAttempt{id, attempt});
    }
  }
}

}  // namespace remixer::coordinator
