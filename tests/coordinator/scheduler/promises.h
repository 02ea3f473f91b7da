// SPDX-License-Identifier: Apache-2.0
// What the scheduler of a simulated history has promised, held against what it knows and stores.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "coordinator/scheduler/step.h"
#include "tests/coordinator/scheduler/simulated_store.h"

namespace remixer::coordinator::testing {

struct Violation {
  std::string what;
};

template <typename... Arguments>
void require(bool holds, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  if (!holds) throw Violation{fmt::format(text, std::forward<Arguments>(arguments)...)};
}

// Null where there is no such task.
const TaskEntry* find_entry(const State& state, const std::string& id);

// Each check throws a Violation.
class Promises {
 public:
  // The daemon has stepped an event: acknowledged or not, it may have happened.
  void note_step(const Event& event, const State& state);
  // It has answered as well.
  void note_answer(const Event& event, const Reply& reply, const State& state);

  // The database is lost, with all that was promised.
  void forget() { grids_.clear(), accepted_.clear(); }

  // No acknowledged grid or task of one is lost.
  void check_submits(const State& state) const;
  // Accepted results are stored, once; a task is done where it has a result, and nowhere else.
  void check_results(const State& state, const SimulatedStore& store) const;

 private:
  void note_accepted(const experiments::protocol::AttemptResult& result,
                     const experiments::protocol::ResultReply& reply, const State& state);

  std::map<int64_t, const PreparedGrid*> grids_;  // acknowledged
  std::map<int64_t, std::string> accepted_;       // tasks of accepted results, by fence
};

// A restart would find what is in memory, and the indexes are those of the entries. `loaded`: what
// the store gives now.
void check_reload(const State& state, const State& loaded);

}  // namespace remixer::coordinator::testing
