// SPDX-License-Identifier: Apache-2.0
// Grids, messages and folders for the coordinator's tests.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/temporary_folder.h"
#include "coordinator/scheduler/step.h"
#include "experiments/spec/task_spec.h"

namespace remixer::coordinator::testing {

namespace protocol = experiments::protocol;

// A folder that is there as long as the object.
struct TemporaryFolder : remixer::TemporaryFolder {
  std::filesystem::path path = remixer::TemporaryFolder::path();
};

inline Cell make_cell(int64_t seed) {
  Cell cell;
  cell.architecture = "deit_nano_patch4_32";
  cell.dataset = {{"fashion-bg"}};
  cell.dataset_name = "fashion";
  cell.recipe_name = "short";
  cell.seed = seed;
  return cell;
}

inline Task make_task(TaskKind kind, Json spec, const std::string& title,
                      std::vector<std::string> dependencies = {}, const std::string& cell_id = "") {
  Task task;
  task.kind = kind;
  spec["kind"] = experiments::to_string(kind);
  task.spec = std::move(spec);
  task.title = title;
  task.dependencies = std::move(dependencies);
  task.cell_id = cell_id;
  return task;
}

// prepare, then for each seed: train and evaluate on two sets.
inline protocol::SubmitGrid make_grid(const std::string& name, const std::vector<int64_t>& seeds) {
  protocol::SubmitGrid grid;
  grid.name = name;
  grid.text = "name = \"" + name + "\"\n";
  grid.tasks.push_back(make_task(TaskKind::kPrepare,
                                 spec_json(experiments::PrepareSpec{{{"fashion-bg"}}}),
                                 "prepare fashion"));
  const std::string prepare = grid.tasks.back().id();
  for (const int64_t seed : seeds) {
    const Cell cell = make_cell(seed);
    grid.cells.push_back(cell);
    const std::string number = std::to_string(seed);
    grid.tasks.push_back(make_task(TaskKind::kTrain, {{"cell", cell.identity()}}, "train " + number,
                                   {prepare}, cell.id()));
    const std::string train = grid.tasks.back().id();
    for (const char* set : {"original", "mixed_rand"}) {
      grid.tasks.push_back(make_task(
          TaskKind::kEvaluate, {{"cell", cell.identity()}, {"eval_set", set}, {"version", 1}},
          "evaluate " + number + " on " + set, {prepare, train}, cell.id()));
    }
  }
  return grid;
}

inline protocol::RegisterWorker make_worker(int64_t pid, const std::string& host = "elsewhere") {
  protocol::RegisterWorker worker;
  worker.name = host + ":" + std::to_string(pid);
  worker.host = host;
  worker.pid = pid;
  worker.device = "cpu";
  worker.boot_id = "boot";
  worker.version = "0";
  worker.environment = Json::object();
  return worker;
}

inline protocol::Heartbeat heartbeat_of(const protocol::Assignment& assignment, int64_t step) {
  protocol::Heartbeat heartbeat;
  heartbeat.task_id = assignment.task_id;
  heartbeat.attempt = assignment.attempt;
  heartbeat.fence = assignment.fence;
  heartbeat.step = step;
  heartbeat.total_steps = 100;
  heartbeat.activity = "training";
  return heartbeat;
}

inline protocol::AttemptResult result_of(const protocol::Assignment& assignment,
                                         protocol::Ending ending = protocol::Ending::kDone) {
  protocol::AttemptResult result;
  result.task_id = assignment.task_id;
  result.attempt = assignment.attempt;
  result.fence = assignment.fence;
  result.ending = ending;
  if (ending == protocol::Ending::kDone) {
    result.result = {{"attempt", assignment.attempt}};
  } else {
    result.reason = "as the test wanted";
  }
  return result;
}

}  // namespace remixer::coordinator::testing
