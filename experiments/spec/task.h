// SPDX-License-Identifier: Apache-2.0
// Tasks: the steps of cells, as a graph.
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

// Version of what evaluating means, in every evaluate task's spec.
constexpr int64_t kEvaluationVersion = 1;
// Version of what drawing saliency maps means, in every saliency task's spec.
constexpr int64_t kSaliencyVersion = 1;
// A saliency task draws so many images at most.
constexpr int64_t kMostSaliencyImages = 64;

// One step. Content-hashed: two grids that need the same step share it.
//
// spec, by kind (all hold "kind" and are what the id is made of):
//   prepare   {"kind", "dataset": {...}}
//   label     {"kind", "dataset": {...}, "split": "train" | an evaluation set, "labeler": {...}}
//   train     {"kind", "cell": identity}
//   evaluate  as evaluate_spec() (experiments/spec/evaluation.h) makes it: {"kind", "cell":
//             identity, "eval_set": "mixed_rand", "version"}; on another dataset than the cell's
//             also "dataset": {...}, of images seen in another way "transform", and of both
//             "split", which eval_set is the name of
//   saliency  {"kind", "cell": identity, "eval_set", "images": ["original/val/...", ...] or
//             {"count": 8, "seed": 0}, "version": 1}, and "dataset", "split" as of evaluate
struct Task {
  TaskKind kind = TaskKind::kPrepare;
  Json spec;
  std::vector<std::string> dependencies;  // task ids that must be done first
  std::string cell_id;                    // of train, evaluate and saliency, else empty
  std::string title;  // one line for people: "train deit_nano · saliency · seed 0"
  std::string id() const { return content_id(spec); }
};

Json to_json(const Task& task);
// Throws InputError naming the field. `without_cell`: the spec of a cell's task may leave out the
// cell's identity, as it travels within a submitted grid.
Task task_from_json(const Json& json, bool without_cell = false);

}  // namespace remixer::experiments
