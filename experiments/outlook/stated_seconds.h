// SPDX-License-Identifier: Apache-2.0
// Relative costs of tasks before any was measured, computed from the stated tables of rates.h and
// the tasks' specs only.
#pragma once

#include "experiments/spec/task.h"

namespace remixer::experiments {

// Seconds on one CPU core; on other machines only their ratios are meaningful. `spec`: the task's
// whole spec, including its cell. 0: unknown.
double stated_seconds(TaskKind kind, const Json& spec);

}  // namespace remixer::experiments
