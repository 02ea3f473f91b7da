// SPDX-License-Identifier: Apache-2.0
// The store as a simulation needs it: what was committed, row by row, without a disk. Its faults
// are those that real storage would have were a line of ours missing.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "coordinator/scheduler/state_builder.h"
#include "coordinator/scheduler/step.h"

namespace remixer::coordinator::testing {

class SimulatedStore {
 public:
  // All or nothing, and there after a crash.
  void commit(const std::vector<Write>& writes);
  // As without a transaction: a crash leaves the first `count` writes.
  void commit_part(const std::vector<Write>& writes, size_t count);
  // As without a sync: the last commit is gone after all.
  void lose_last_commit() { rows_ = before_; }

  State load(const Now& now, const Settings& settings) const;

  struct Result {
    int64_t fence = 0;
    std::string text;
  };
  // The committed results by task number.
  const std::map<int64_t, Result>& results() const { return rows_.results; }
  // A result was committed where there was one, or for another attempt than the newest.
  bool spoiled() const { return rows_.spoiled; }
  size_t notices() const { return rows_.notices.size(); }

 private:
  struct StoredAttempt {
    int64_t task = 0;
    Attempt attempt;
    bool reported = false;
  };
  struct Rows {
    std::map<int64_t, StateBuilder::StoredCell> cells;
    std::map<int64_t, StateBuilder::StoredTask> tasks;
    std::map<int64_t, std::vector<int64_t>> dependencies;
    std::map<std::string, Worker> workers;
    std::map<int64_t, StoredAttempt> attempts;  // by fence
    std::map<int64_t, PutGrid> grids;
    std::map<int64_t, PutGridState> grid_states;
    std::map<int64_t, Result> results;
    std::map<int64_t, PutNotice> notices;
    int64_t last_grid = 0, last_notice = 0;
    bool spoiled = false;
  };
  struct Writer;

  Rows rows_, before_;
};

}  // namespace remixer::coordinator::testing
