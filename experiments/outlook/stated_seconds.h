// SPDX-License-Identifier: Apache-2.0
// What tasks cost beside one another before any was measured, by the stated tables of rates.h and
// from their specs alone.
#pragma once

#include "experiments/spec/task.h"

namespace remixer::experiments {

// Seconds on one processor; only their ratios mean something elsewhere. `spec`: the task's whole
// one, its cell included. 0: not known.
double stated_seconds(TaskKind kind, const Json& spec);

}  // namespace remixer::experiments
