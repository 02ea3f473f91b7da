// SPDX-License-Identifier: Apache-2.0
// Chooses the task for a worker, and explains why others wait: priorities, fair share, limits,
// gangs, the worker's remaining time, suspects.
#pragma once

#include <string>

#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

// The task for this worker; null where there is none, `wait` then being at most the seconds until
// there may be one.
//
// Grids come by priority, then by how few of their tasks run, then by how long ago one was given
// out of them. Of a grid the first task in its order that may start now.
TaskEntry* next_task(State& state, const Worker& worker, const Now& now, const Settings& settings,
                     double& wait);

// Nothing but this task's attempt runs on its worker's host, nor was lost there just now.
bool runs_alone(const State& state, const TaskEntry& entry, const Now& now,
                const Settings& settings);

// Why this worker cannot run the task whatever it has free, in a few words: ranks that do not
// divide the shards, a precision that its device lacks, a network's file that it has not got. Empty
// where it can.
std::string unsuited(const TaskEntry& entry, const Worker& worker);

// Why a worker like this one would never be given the task, though it had nothing else to do: it is
// unsuited, too small for every grid that wants the task, or has too little time. Empty where it
// would.
std::string unfit(const State& state, const TaskEntry& entry, const Worker& worker, const Now& now,
                  const Settings& settings);

// Set aside: it keeps failing what others do.
bool set_aside(const Worker& worker, const Settings& settings);

// A worker of another host than the task's newest attempt's is there and suited.
bool another_host_can(const State& state, const TaskEntry& entry, const Now& now,
                      const Settings& settings);

// Why a ready task is not given out, in one line; what it waits for, where nothing is wrong.
std::string why_ready_waits(const State& state, const TaskEntry& entry, const Now& now,
                            const Settings& settings);

}  // namespace remixer::coordinator
