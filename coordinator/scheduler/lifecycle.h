// SPDX-License-Identifier: Apache-2.0
// State transitions of tasks and attempts, used by event handlers. Each changes the state and
// appends the writes to be stored.
#pragma once

#include <set>
#include <string>

#include "coordinator/scheduler/step.h"

namespace remixer::coordinator {

// One event being processed.
struct Transition {
  State& state;
  Effects& effects;
  const Now& now;
  const Settings& settings;
  std::set<int64_t> touched = {};  // grids with a task whose state changed
};

// The state of an unfinished task by its dependencies: ready, waiting or blocked.
TaskState unfinished_state(const TaskEntry& entry);

// Sets a task's state, updates the indexes and the states of its dependants.
void set_task_state(Transition& t, TaskEntry& entry, TaskState to);
// Queues a task: ready, waiting or blocked, depending on its dependencies.
void queue_task(Transition& t, TaskEntry& entry);
// Requeues a finished, failed or cancelled task, with reset limits and a new place in the order.
void queue_again(Transition& t, TaskEntry& entry);
// Appends the task's current record to the writes.
void put_task_state(Transition& t, const TaskEntry& entry);
void put_grid_state(Transition& t, const GridEntry& grid, const std::string& text = "");

// Ends the newest attempt. `reported`: its worker reported the end or is known to be dead, so that
// its lease need not expire first.
void end_attempt(Transition& t, TaskEntry& entry, AttemptState to, const std::string& reason,
                 bool reported);
// The newest attempt is lost: the task becomes ready again after a pause, or failed if it has lost
// too many workers. `counts` as in WorkerGoneEvent.
void lose_attempt(Transition& t, TaskEntry& entry, const std::string& reason, bool worker_gone,
                  bool counts);
// The newest attempt had a transient failure: retry after a pause, or failed at the limit.
void fail_attempt(Transition& t, TaskEntry& entry, const std::string& reason, bool reported);

// Removes the grid and its list of members; its tasks remain.
void forget_grid(Transition& t, GridEntry& grid);

// Appends a notice for each grid that has ended or had its first failure in this event.
void tell_owner(Transition& t);

}  // namespace remixer::coordinator
