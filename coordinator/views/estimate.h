// SPDX-License-Identifier: Apache-2.0
// Estimates the remaining time from measured tasks.
#pragma once

#include <optional>
#include <string>

#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

// Seconds that tasks of a kind take, learned from the finished ones and, until there are any, from
// how far the running ones have come. Valid while the state that it was made of is unchanged. Costs
// what is running, not what has finished.
class Estimate {
 public:
  Estimate(const State& state, const Now& now);

  // A whole run of the task; nothing while nothing at all was measured. Most like it first: the
  // same kind and architecture (of labels: the same labeler), then the same kind, then any kind, by
  // what they cost beside one another as the tables of experiments/outlook state it.
  std::optional<double> whole(TaskKind kind, const Name& similar) const;
  // What is left of an unfinished task.
  std::optional<double> left(const TaskEntry& entry) const;

 private:
  // What a task is stated to cost; only ratios count.
  double cost(TaskKind kind, const Name& similar) const;

  // Seconds that some tasks took, and their costs.
  struct Pace {
    double seconds = 0, cost = 0;
    void add(double taken, double stated) { seconds += taken, cost += stated; }
  };

  const State& state_;
  Now now_;
  double training_ = 1;           // a cell's mean stated cost
  std::map<Name, Mean> similar_;  // of running tasks
  std::map<TaskKind, Pace> kind_;
  Pace any_;
};

// Seconds to the end of a running attempt by its own pace; nothing before it has moved a step.
std::optional<double> attempt_left(const Attempt& attempt, const Now& now);

// Of a grid: the share of its work that is done, by estimated time, and the seconds to its end with
// the workers that are there.
struct GridOutlook {
  double fraction = 0;
  std::optional<double> seconds_left;
};
GridOutlook outlook(const GridEntry& grid, const State& state, const Estimate& estimate,
                    const Now& now);

}  // namespace remixer::coordinator
