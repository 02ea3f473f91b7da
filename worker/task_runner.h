// SPDX-License-Identifier: Apache-2.0
// Runs one assigned task on all ranks.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/distributed/communicator.h"
#include "core/training/trainer.h"
#include "experiments/protocol/messages.h"

namespace remixer::worker {

struct TaskContext {
  experiments::protocol::Assignment assignment;
  std::filesystem::path workspace;
  std::filesystem::path weights;  // the labelers' networks
  int loader_threads = 1;
  int ranks_here = 1;  // ranks on this rank's machine, of all workers
  training::Communicator* communicator = nullptr;
  // Rank 0: reports the task's progress and returns whether to continue. Empty on other ranks.
  std::function<training::Directive(int64_t step, int64_t total, const std::string& activity,
                                    std::vector<training::Metric> metrics)>
      progress;

  std::filesystem::path folder() const { return workspace / assignment.folder; }
  // The result of the dependency of this kind (for label tasks: of this split).
  // Throws Error if the daemon did not send it.
  const Json& input(experiments::TaskKind kind, const std::string& split = "") const;
};

struct TaskOutcome {
  bool finished = false;  // false: stopped by a directive
  Json result;
  std::vector<experiments::protocol::Figure> figures;
  std::vector<experiments::protocol::Publication> publish;
};

// True if every rank takes part in tasks of this kind; otherwise rank 0 runs them alone.
bool runs_on_all_ranks(experiments::TaskKind kind);

// Throws InputError and Error like the functions that do the work.
TaskOutcome run_task(const TaskContext& context);

// One function per kind, in run_<kind>.cpp.
TaskOutcome run_prepare(const TaskContext& context);
TaskOutcome run_label(const TaskContext& context);
TaskOutcome run_train(const TaskContext& context);
TaskOutcome run_evaluate(const TaskContext& context);
TaskOutcome run_saliency(const TaskContext& context);

}  // namespace remixer::worker
