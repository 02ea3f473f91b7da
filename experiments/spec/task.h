// SPDX-License-Identifier: Apache-2.0
// Tasks: the steps of cells, as a dependency graph.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "experiments/spec/cell.h"

namespace remixer::experiments {

enum class TaskKind { kPrepare, kLabel, kTrain, kEvaluate, kSaliency };
constexpr size_t kTaskKinds = 5;
std::string_view to_string(TaskKind kind);              // "prepare", "label", "train", "evaluate",
                                                        // "saliency"
TaskKind task_kind_from_string(std::string_view text);  // throws InputError

// One step. Content-hashed: grids that need the same step share it. Its spec is the JSON that
// experiments/spec/task_spec.h writes and reads.
struct Task {
  TaskKind kind = TaskKind::kPrepare;
  Json spec;
  std::vector<std::string> dependencies;  // task ids that must be done first
  std::string cell_id;                    // for train, evaluate and saliency, else empty
  std::string title;  // one line for people: "train deit_nano · saliency · seed 0"
  std::string id() const { return content_id(spec); }
};

Json to_json(const Task& task);
// Throws InputError naming the field. `without_cell`: the spec of a cell's task may omit the cell's
// identity, as in a submitted grid.
Task task_from_json(const Json& json, bool without_cell = false);

}  // namespace remixer::experiments
