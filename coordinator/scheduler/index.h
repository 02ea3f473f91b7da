// SPDX-License-Identifier: Apache-2.0
// Maintains the indexes of state.h. All changes to indexed members must go through these functions.
#pragma once

#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

// Adds the task to the grid, last in its order.
void add_member(GridEntry& grid, TaskEntry& entry);
// Removes all members from the grid.
void remove_members(GridEntry& grid);

// Set a member of a task and update all indexes that depend on it.
void set_state(State& state, TaskEntry& entry, TaskState to);
void set_order(TaskEntry& entry, int64_t order);
void set_seconds(TaskEntry& entry, double seconds);

// Indexes a freshly loaded state, except for the grids' own indexes.
void index_loaded(State& state);

}  // namespace remixer::coordinator
