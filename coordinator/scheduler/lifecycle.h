// SPDX-License-Identifier: Apache-2.0
// Transitions of tasks and attempts, of which events are made. Each changes the state and appends
// what is to be stored.
#pragma once

#include <set>
#include <string>

#include "coordinator/scheduler/step.h"

namespace remixer::coordinator {

// One event at work.
struct Transition {
  State& state;
  Effects& effects;
  const Now& now;
  const Settings& settings;
  std::set<int64_t> touched = {};  // grids with a task that changed its state
};

// What an unfinished task's dependencies make of it: ready, waiting or blocked.
TaskState unfinished_state(const TaskEntry& entry);

// Sets a task's state, keeps the indexes and lets its dependants follow.
void set_task_state(Transition& t, TaskEntry& entry, TaskState to);
// Queues a task: ready, waiting or blocked after its dependencies.
void queue_task(Transition& t, TaskEntry& entry);
// Queues a finished, failed or cancelled task for another run, with fresh limits and a new place.
void queue_again(Transition& t, TaskEntry& entry);
// Stores the task's present record.
void put_task_state(Transition& t, const TaskEntry& entry);
void put_grid_state(Transition& t, const GridEntry& grid, const std::string& text = "");

// Ends the newest attempt. `reported`: by its worker's own word, or known dead, so that its lease
// needs no waiting for.
void end_attempt(Transition& t, TaskEntry& entry, AttemptState to, const std::string& reason,
                 bool reported);
// The newest attempt is lost: the task is ready again after a pause, or failed where it has taken
// too many workers with it. `counts` as in WorkerGoneEvent.
void lose_attempt(Transition& t, TaskEntry& entry, const std::string& reason, bool worker_gone,
                  bool counts);
// The newest attempt failed in a way that may pass: again after a pause, or failed at the limit.
void fail_attempt(Transition& t, TaskEntry& entry, const std::string& reason, bool reported);

// Takes the grid and its list of members away; its tasks stay.
void forget_grid(Transition& t, GridEntry& grid);

// Appends a notice for each grid that has come to its end or got its first failure in this event.
void tell_owner(Transition& t);

}  // namespace remixer::coordinator
