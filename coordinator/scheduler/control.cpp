// What people order: cancel and retry.
#include <functional>
#include <unordered_set>

#include "coordinator/scheduler/handlers.h"

namespace remixer::coordinator {
namespace {

bool settled(TaskState state) {
  return state == TaskState::kDone || state == TaskState::kCancelled;
}

void cancel(Transition& t, const std::string& id) {
  TaskEntry& entry = t.state.task(id);
  if (entry.state == TaskState::kRunning) {
    end_attempt(t, id, AttemptState::kCancelled, "cancelled", false);
  }
  entry.reason = "cancelled";
  entry.done_wall = t.now.wall;
  set_task_state(t, id, TaskState::kCancelled);
}

// Queues `id` again after everything it depends on that has failed or lost its files. Returns how
// many tasks were queued.
int64_t retry(Transition& t, const std::string& id, const std::set<std::string>& missing) {
  int64_t count = 0;
  std::unordered_set<std::string> visited;
  const std::function<void(const std::string&)> visit = [&](const std::string& each) {
    if (!visited.insert(each).second) return;
    const TaskState state = t.state.task(each).state;
    if (state == TaskState::kRunning) return;
    if (state == TaskState::kDone && !missing.count(each)) return;
    for (const std::string& dependency : t.state.task(each).task.dependencies) visit(dependency);
    // What was only blocked may have been freed by now.
    const TaskState after = t.state.task(each).state;
    if (after == TaskState::kWaiting || after == TaskState::kReady) {
      if (state == TaskState::kBlocked) ++count;
      return;
    }
    queue_again(t, each);
    ++count;
  };
  visit(id);
  return count;
}

}  // namespace

void handle(Transition& t, const CancelTaskEvent& event) {
  const TaskEntry& entry = t.state.task(event.task_id);
  if (entry.state == TaskState::kDone) {
    throw Conflict(fmt::format("task '{}' is done, it cannot be cancelled", entry.task.title));
  }
  const bool change = !settled(entry.state);
  if (change) cancel(t, event.task_id);
  t.effects.reply = CountReply{change ? 1 : 0};
}

void handle(Transition& t, const CancelGridEvent& event) {
  t.state.grid(event.grid_id);
  GridEntry& grid = t.state.grids.at(event.grid_id);
  std::unordered_set<std::string> needed;
  for (const auto& [id, other] : t.state.grids) {
    if (id != grid.id && !other.cancelled) needed.insert(other.tasks.begin(), other.tasks.end());
  }
  int64_t count = 0;
  for (const std::string& id : grid.tasks) {
    const TaskState state = t.state.task(id).state;
    if (settled(state) || state == TaskState::kFailed || needed.count(id)) continue;
    cancel(t, id);
    ++count;
  }
  grid.cancelled = true;
  t.effects.writes.push_back(PutGrid{grid, ""});
  t.effects.reply = CountReply{count};
}

void handle(Transition& t, const RetryTaskEvent& event) {
  const TaskEntry& entry = t.state.task(event.task_id);
  if (entry.state == TaskState::kDone && !event.missing.count(event.task_id)) {
    throw Conflict(fmt::format("task '{}' is done already", entry.task.title));
  }
  t.effects.reply = CountReply{retry(t, event.task_id, event.missing)};
}

void handle(Transition& t, const RetryGridEvent& event) {
  t.state.grid(event.grid_id);
  GridEntry& grid = t.state.grids.at(event.grid_id);
  int64_t count = 0;
  for (const std::string& id : grid.tasks) count += retry(t, id, event.missing);
  if (grid.cancelled) {
    grid.cancelled = false;
    t.effects.writes.push_back(PutGrid{grid, ""});
  }
  t.effects.reply = CountReply{count};
}

}  // namespace remixer::coordinator
