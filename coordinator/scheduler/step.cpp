// SPDX-License-Identifier: Apache-2.0
#include "coordinator/scheduler/step.h"

#include <algorithm>

#include "coordinator/scheduler/handlers.h"

namespace remixer::coordinator {

SubmitEvent::SubmitEvent(const experiments::protocol::SubmitGrid& submitted,
                         std::set<std::string> gone)
    : grid(std::make_shared<PreparedGrid>(prepare_grid(submitted))), missing(std::move(gone)) {}

SubmitEvent::SubmitEvent(PreparedGrid prepared)
    : grid(std::make_shared<PreparedGrid>(std::move(prepared))) {}

Effects step(State& state, const Event& event, const Now& now, const Settings& settings) {
  Effects effects;
  Transition t{state, effects, now, settings};
  std::visit([&](const auto& each) { handle(t, each); }, event);
  tell_owner(t);
  return effects;
}

bool still_valid(const State& state, const std::string& task_id, int64_t attempt, int64_t fence) {
  const auto found = state.tasks.find(task_id);
  if (found == state.tasks.end() || !found->second.newest) return false;
  const TaskEntry& entry = found->second;
  if (entry.newest->number != attempt || entry.newest->fence != fence) return false;
  if (entry.newest->state == AttemptState::kRunning) return true;
  // Attempts before the last requeueing were given up, files and all.
  return entry.newest->state == AttemptState::kLost && attempt > entry.given_up &&
         entry.state != TaskState::kDone && entry.state != TaskState::kCancelled;
}

void pass_by_folders(Transition& t, const std::string& task_id, int64_t number) {
  const auto found = t.state.tasks.find(task_id);
  if (found == t.state.tasks.end()) return;
  TaskEntry& entry = found->second;
  if (entry.state == TaskState::kDone || entry.state == TaskState::kRunning) return;
  if (number <= entry.attempts) return;
  entry.attempts = number;
  put_task_state(t, entry);
}

void handle(Transition& t, const FoldersEvent& event) {
  for (const auto& [id, number] : event.folders) pass_by_folders(t, id, number);
}

void handle(Transition& t, const ClearingEvent& event) {
  const auto found = t.state.tasks.find(event.task_id);
  if (found == t.state.tasks.end()) return;
  found->second.clearing = std::max(0, found->second.clearing + event.change);
}

void handle(Transition& t, const ShutdownEvent&) {
  t.state.stopping = true;
}

}  // namespace remixer::coordinator
