// SPDX-License-Identifier: Apache-2.0
// Chooses the task for a worker, and explains why others wait: priorities, fair share, limits,
// gangs, the worker's remaining time, suspects.
#pragma once

#include <string>

#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

// The task for this worker; null if there is none, and `wait` is then at most the seconds until
// there may be one.
//
// Grids are ordered by priority, then by fewest running tasks, then by longest time since one was
// given out. From a grid: the first task in its order that may start now.
TaskEntry* next_task(State& state, const Worker& worker, const Now& now, const Settings& settings,
                     double& wait);

// True if no other attempt runs on its worker's host, and none was lost there just now.
bool runs_alone(const State& state, const TaskEntry& entry, const Now& now,
                const Settings& settings);

// Why this worker can never run the task, in a few words: ranks that do not divide the shards, a
// precision that its device does not support, or a network file that the worker does not have.
// Empty if it can run the task.
std::string unsuited(const TaskEntry& entry, const Worker& worker);

// Why a worker like this one would never get the task, even if it had nothing else to do: it is
// unsuited, too small for every grid that wants the task, or has too little time left. Empty if it
// would get it.
std::string unfit(const State& state, const TaskEntry& entry, const Worker& worker, const Now& now,
                  const Settings& settings);

// True if the worker is excluded because tasks failed on it that others completed.
bool set_aside(const Worker& worker, const Settings& settings);

// True if a suited worker is present on a host other than the newest attempt's.
bool another_host_can(const State& state, const TaskEntry& entry, const Now& now,
                      const Settings& settings);

// Why a ready task is not given out, in one line; if nothing is wrong, what it waits for.
std::string why_ready_waits(const State& state, const TaskEntry& entry, const Now& now,
                            const Settings& settings);

}  // namespace remixer::coordinator
