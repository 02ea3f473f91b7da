// SPDX-License-Identifier: Apache-2.0
// Removes results and files; when submitted or retried, the tasks run again.
#include <algorithm>
#include <unordered_set>

#include "base/clock.h"
#include "coordinator/scheduler/handlers.h"

namespace remixer::coordinator {
namespace {

// A worker may write into its attempt's folder until its lease expires.
void require_still(const TaskEntry& entry, const Now& now) {
  if (entry.state == TaskState::kRunning) {
    throw Conflict(fmt::format("'{}' is running: cancel it first", entry.title));
  }
  const double held = entry.newest ? entry.newest->held_until - now.monotonic : 0;
  if (held > 0) {
    throw Conflict(fmt::format("the worker of '{}' may still be writing: its lease ends in {}",
                               entry.title, duration_text(held)));
  }
}

void collect(TaskEntry& entry, std::vector<TaskEntry*>& list,
             std::unordered_set<TaskEntry*>& seen) {
  if (!seen.insert(&entry).second) return;
  list.push_back(&entry);
  for (TaskEntry* dependant : entry.dependants) collect(*dependant, list, seen);
}

bool bare(const TaskEntry& entry) {
  return entry.attempts == 0 && entry.state == TaskState::kCancelled;
}

void remove(Transition& t, TaskEntry& entry) {
  if (entry.state == TaskState::kDone) t.effects.writes.push_back(DeleteFigures{entry.number});
  if (entry.attempts > 0) {
    t.effects.removed.push_back(entry.id());
    ++entry.clearing;
  }
  entry.reason = "removed";
  entry.done_wall = t.now.wall;
  set_task_state(t, entry, TaskState::kCancelled);
}

int64_t remove_all(Transition& t, const std::vector<TaskEntry*>& list) {
  for (const TaskEntry* entry : list) require_still(*entry, t.now);
  int64_t count = 0;
  for (TaskEntry* entry : list) {
    count += !bare(*entry);
    remove(t, *entry);
  }
  return count;
}

}  // namespace

void handle(Transition& t, const RemoveTaskEvent& event) {
  std::vector<TaskEntry*> list;
  std::unordered_set<TaskEntry*> seen;
  collect(t.state.task(event.task_id), list, seen);
  t.effects.reply = CountReply{remove_all(t, list)};
}

void handle(Transition& t, const RemoveGridEvent& event) {
  GridEntry& grid = t.state.grid(event.grid_id);
  std::vector<TaskEntry*> list;
  std::unordered_set<TaskEntry*> seen;
  for (TaskEntry* entry : grid.tasks) {
    // Tasks that another grid holds are kept, with their dependencies.
    if (entry->grids.size() == 1) collect(*entry, list, seen);
  }
  std::erase_if(list, [](const TaskEntry* entry) { return entry->grids.size() > 1; });
  const int64_t count = remove_all(t, list);
  forget_grid(t, grid);
  t.effects.reply = CountReply{count};
}

}  // namespace remixer::coordinator
