// SPDX-License-Identifier: Apache-2.0
// Handles user orders: cancel, retry, pause, limits.
#include <algorithm>
#include <functional>
#include <unordered_set>

#include "coordinator/scheduler/handlers.h"

namespace remixer::coordinator {
namespace {

bool settled(TaskState state) {
  return state == TaskState::kDone || state == TaskState::kCancelled;
}

void cancel(Transition& t, TaskEntry& entry) {
  if (entry.state == TaskState::kRunning) {
    end_attempt(t, entry, AttemptState::kCancelled, "cancelled", false);
  }
  entry.reason = "cancelled";
  entry.done_wall = t.now.wall;
  set_task_state(t, entry, TaskState::kCancelled);
}

// Queues the task again, after its dependencies that have failed or lost their files. Returns the
// number of queued tasks.
int64_t retry(Transition& t, TaskEntry& task, const std::set<std::string>& missing) {
  int64_t count = 0;
  std::unordered_set<const TaskEntry*> visited;
  const std::function<void(TaskEntry&)> visit = [&](TaskEntry& each) {
    if (!visited.insert(&each).second) return;
    const TaskState state = each.state;
    if (state == TaskState::kRunning) return;
    if (state == TaskState::kDone && !missing.count(each.id())) return;
    for (TaskEntry* dependency : each.dependencies) visit(*dependency);
    // A task that was only blocked may have become unblocked.
    if (each.state == TaskState::kWaiting || each.state == TaskState::kReady) {
      if (state == TaskState::kBlocked) ++count;
      return;
    }
    queue_again(t, each);
    ++count;
  };
  visit(task);
  return count;
}

// There is work again, so the grid's end must be reported again.
void expect_news(Transition& t, GridEntry& grid) {
  if (grid.said == Said::kNothing) return;
  grid.said = Said::kNothing;
  put_grid_state(t, grid);
}

void check(const GridSettings& settings) {
  if (settings.max_running < 0 || settings.ranks < 0 || settings.gpus < 0) {
    fail_input("max_running, ranks and gpus of a grid cannot be below 0 (0: no limit)");
  }
}

}  // namespace

void handle(Transition& t, const CancelTaskEvent& event) {
  TaskEntry& entry = t.state.task(event.task_id);
  if (entry.state == TaskState::kDone) {
    throw Conflict(fmt::format("task '{}' is done, it cannot be cancelled", entry.title));
  }
  const bool change = !settled(entry.state);
  if (change) cancel(t, entry);
  t.effects.reply = CountReply{change ? 1 : 0};
}

void handle(Transition& t, const CancelGridEvent& event) {
  GridEntry& grid = t.state.grid(event.grid_id);
  int64_t count = 0;
  for (TaskEntry* entry : grid.tasks) {
    if (settled(entry->state) || entry->state == TaskState::kFailed) continue;
    const bool needed =
        std::any_of(entry->grids.begin(), entry->grids.end(),
                    [&](const GridEntry* other) { return other != &grid && !other->cancelled; });
    if (needed) continue;
    cancel(t, *entry);
    ++count;
  }
  grid.cancelled = true;
  put_grid_state(t, grid);
  t.effects.reply = CountReply{count};
}

void handle(Transition& t, const RetryTaskEvent& event) {
  TaskEntry& entry = t.state.task(event.task_id);
  if (entry.state == TaskState::kDone && !event.missing.count(event.task_id)) {
    throw Conflict(fmt::format("task '{}' is done already", entry.title));
  }
  if (entry.grids.empty()) {
    throw Conflict(
        fmt::format("task '{}' is in no grid any more: submit one that holds it", entry.title));
  }
  const int64_t count = retry(t, entry, event.missing);
  if (count > 0) {
    for (GridEntry* grid : entry.grids) expect_news(t, *grid);
  }
  t.effects.reply = CountReply{count};
}

void handle(Transition& t, const RetryGridEvent& event) {
  GridEntry& grid = t.state.grid(event.grid_id);
  int64_t count = 0;
  for (TaskEntry* entry : grid.tasks) count += retry(t, *entry, event.missing);
  if (grid.cancelled || count > 0) {
    grid.cancelled = false;
    grid.said = Said::kNothing;
    put_grid_state(t, grid);
  }
  t.effects.reply = CountReply{count};
}

void handle(Transition& t, const PauseGridEvent& event) {
  GridEntry& grid = t.state.grid(event.grid_id);
  if (grid.paused != event.pause) {
    grid.paused = event.pause;
    put_grid_state(t, grid);
  }
  t.effects.reply = CountReply{grid.count(TaskState::kRunning)};
}

void handle(Transition& t, const ConfigureGridEvent& event) {
  check(event.settings);
  GridEntry& grid = t.state.grid(event.grid_id);
  grid.settings = event.settings;
  put_grid_state(t, grid);
  t.effects.reply = CountReply{static_cast<int64_t>(grid.tasks.size())};
}

}  // namespace remixer::coordinator
