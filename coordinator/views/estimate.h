// SPDX-License-Identifier: Apache-2.0
// Estimates the remaining time from measured tasks.
#pragma once

#include <optional>
#include <string>

#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

// Seconds that tasks of a kind take, learned from finished tasks and, until there are any, from the
// progress of running ones. Valid while the state it was made from is unchanged. Its cost depends
// on the number of running tasks, not of finished ones.
class Estimate {
 public:
  Estimate(const State& state, const Now& now);

  // Seconds of a whole run of the task; nothing while no task was measured. Uses the most similar
  // tasks: the same kind and architecture (for labels: the same labeler), then the same kind, then
  // any kind, scaled by the relative costs in the tables of experiments/outlook.
  std::optional<double> whole(TaskKind kind, const Name& similar) const;
  // Remaining seconds of an unfinished task.
  std::optional<double> left(const TaskEntry& entry) const;

 private:
  // The stated cost of a task; only ratios are meaningful.
  double cost(TaskKind kind, const Name& similar) const;

  // Total seconds of some tasks, and their total cost.
  struct Pace {
    double seconds = 0, cost = 0;
    void add(double taken, double stated) { seconds += taken, cost += stated; }
  };

  const State& state_;
  Now now_;
  double training_ = 1;           // a cell's mean stated cost
  std::map<Name, Mean> similar_;  // for running tasks
  std::map<TaskKind, Pace> kind_;
  Pace any_;
};

// Seconds to the end of a running attempt at its own pace; nothing before its first step.
std::optional<double> attempt_left(const Attempt& attempt, const Now& now);

// For a grid: the fraction of its work that is done, by estimated time, and the seconds to its end
// with the current workers.
struct GridOutlook {
  double fraction = 0;
  std::optional<double> seconds_left;
};
GridOutlook outlook(const GridEntry& grid, const State& state, const Estimate& estimate,
                    const Now& now);

}  // namespace remixer::coordinator
