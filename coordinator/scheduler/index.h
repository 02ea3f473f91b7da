// SPDX-License-Identifier: Apache-2.0
// Maintains the indexes of state.h. Whoever changes what they are made of goes through here.
#pragma once

#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

// Makes the task a member of the grid, last in its order.
void add_member(GridEntry& grid, TaskEntry& entry);
// Takes all members out of the grid.
void remove_members(GridEntry& grid);

// Set a member of a task, everywhere that it counts.
void set_state(State& state, TaskEntry& entry, TaskState to);
void set_order(TaskEntry& entry, int64_t order);
void set_seconds(TaskEntry& entry, double seconds);

// Of a state that was just loaded: what does not belong to a grid.
void index_loaded(State& state);

}  // namespace remixer::coordinator
