// SPDX-License-Identifier: Apache-2.0
// The workspace of a simulated history: models that attempts made, results that they kept, and who
// deletes them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/scheduler/step.h"
#include "tests/coordinator/scheduler/draw.h"
#include "tests/coordinator/scheduler/simulated_store.h"

namespace remixer::coordinator::testing {

class SimulatedDisk {
 public:
  // An attempt begins in its folder; it has finished there, and its result names its model.
  void begin(const experiments::protocol::Assignment& assignment);
  void finish(const experiments::protocol::Assignment& assignment);
  // The model that the attempt's result names: its own.
  static std::string model_of(const std::string& folder) { return folder + "/model"; }

  // The model of an earlier attempt whose result may be sent again, as a worker looks for it; empty
  // for none. `blind`: it does not look whether its file is there.
  std::string earlier(const experiments::protocol::Assignment& assignment, bool blind) const;

  // Deletes what no committed result names, of tasks that are done, and all of removed ones.
  // `newest_only`: by the rule that the newest attempt's files are the result's.
  void collect(const State& state, const SimulatedStore& store, bool newest_only);
  void remove(const std::string& task_id);
  // One of the files that committed results name is lost.
  void lose(const State& state, const SimulatedStore& store, Draw& draw);

  // Done tasks, evaluations apart, whose files are gone.
  std::set<std::string> missing(const State& state, const SimulatedStore& store) const;
  std::map<std::string, int64_t> folders() const { return folders_; }
  // Of each task the newest kept result whose file is there: task and model.
  std::vector<std::pair<std::string, std::string>> kept() const;

  // Throws a Violation where a file of a committed result is gone that was not lost.
  void check(const State& state, const SimulatedStore& store) const;

 private:
  std::set<std::string> files_, lost_;
  std::set<std::string> kept_;              // folders with a finished result
  std::map<std::string, int64_t> folders_;  // the highest attempt by task
};

}  // namespace remixer::coordinator::testing
