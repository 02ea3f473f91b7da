// SPDX-License-Identifier: Apache-2.0
// Builds a State from stored data: the database's rows, or what a simulation kept.
#pragma once

#include <string>
#include <vector>

#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

// Call in this order: cells, tasks, dependencies, workers, attempts, grids, members, finish.
class StateBuilder {
 public:
  StateBuilder(const Now& now, const Settings& settings) : now_(now), settings_(settings) {}

  struct StoredCell {
    int64_t number = 0;
    std::string id, architecture, spatial_prior, labeler_name, dataset_name, recipe_name;
    int64_t seed = 0;
    std::string precision;
    int64_t shards = 0;
  };
  struct StoredTask {
    int64_t number = 0, cell = 0;            // cell 0: none
    std::string id, title, similar, reason;  // similar: for a task without a cell
    std::string weights;
    TaskKind kind = TaskKind::kPrepare;
    TaskState state = TaskState::kWaiting;
    int64_t order = 0, attempts = 0, fence = 0, failures = 0, crashes = 0, alone = 0;
    int64_t given_up = 0;
    double seconds = 0, done_wall = 0;
  };
  void add_cell(const StoredCell& cell);
  void add_task(const StoredTask& task);
  void add_dependency(int64_t task, int64_t depends_on);
  void add_worker(Worker worker);
  // The newest attempt of a task that is not done. `reported` as in end_attempt(): if false, the
  // task is held for one lease from now, since the end of its last lease is unknown.
  void add_attempt(int64_t task, Attempt attempt, bool reported);
  void add_grid(GridEntry grid);
  void add_cell_member(int64_t grid, int64_t cell);
  void add_member(int64_t grid, int64_t task);
  // Arguments: the largest numbers ever given out.
  State finish(int64_t last_fence, int64_t last_notice, int64_t last_grid);

 private:
  TaskEntry& task(int64_t number) { return *tasks_.at(static_cast<size_t>(number)); }

  Now now_;
  Settings settings_;
  State state_;
  std::vector<TaskEntry*> tasks_;  // by number
  std::vector<CellEntry*> cells_;
};

}  // namespace remixer::coordinator
