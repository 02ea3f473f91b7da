// The transitions of tasks and attempts that the events are made of. Each changes the state and
// appends what is to be stored.
#pragma once

#include <string>

#include "coordinator/scheduler/step.h"

namespace remixer::coordinator {

// One event at work.
struct Transition {
  State& state;
  Effects& effects;
  const Now& now;
  const Settings& settings;
};

// What an unfinished task's dependencies make of it: ready, waiting or blocked.
TaskState unfinished_state(const State& state, const TaskEntry& entry);

// Sets a task's state, keeps the indexes and lets its dependants follow.
void set_task_state(Transition& t, const std::string& id, TaskState to);
// Queues a task: ready, waiting or blocked after its dependencies.
void queue_task(Transition& t, const std::string& id);
// Queues a finished, failed or cancelled task for another run, with fresh limits and a new place.
void queue_again(Transition& t, const std::string& id);
// Stores the task's present record.
void put_task_state(Transition& t, const std::string& id);

// Ends the newest attempt. `reported`: by its worker's own word, or known dead, so that its lease
// needs no waiting for.
void end_attempt(Transition& t, const std::string& id, AttemptState to, const std::string& reason,
                 bool reported);
// The newest attempt is lost: the task is ready again, or failed when that happened too often.
void lose_attempt(Transition& t, const std::string& id, const std::string& reason,
                  bool worker_gone);
// The newest attempt failed in a way that may pass: again after a pause, or failed at the limit.
void fail_attempt(Transition& t, const std::string& id, const std::string& reason, bool reported);

}  // namespace remixer::coordinator
