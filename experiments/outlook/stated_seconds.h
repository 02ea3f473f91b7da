// SPDX-License-Identifier: Apache-2.0
// What tasks cost beside one another before any was measured, by the stated tables of rates.h and
// from their specs alone.
#pragma once

#include "experiments/spec/cell.h"
#include "experiments/spec/task.h"

namespace remixer::experiments {

// Of one processor; only their ratios mean something elsewhere. 0: not known.
struct CellSeconds {
  double training = 0;
  double evaluation = 0;  // on one set, of as many images as its own
};
CellSeconds stated_seconds(const Cell& cell);

// `cell`: of the task's cell; null of tasks without one. 0: not known.
double stated_seconds(const Task& task, const CellSeconds* cell);

}  // namespace remixer::experiments
