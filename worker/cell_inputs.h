// SPDX-License-Identifier: Apache-2.0
// Opens the inputs of a train or evaluate task: the data set and, if the cell has a labeler, a
// split's labels.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/augment/patch_labels.h"
#include "experiments/spec/task_result.h"
#include "worker/task_runner.h"

namespace remixer::worker {

struct CellInputs {
  std::filesystem::path dataset;
  std::unique_ptr<data::LabelSource> labels;  // null if the cell needs none for this split
};

// The result of the task that prepared the data set. Throws as TaskContext::input(), and InputError
// if it cannot be read.
experiments::PrepareResult prepared(const TaskContext& context);

// Throws InputError on all ranks if a file of the split differs from the imported one; rank 0
// checks. Must be called by all ranks.
void check_split_files(const TaskContext& context, const std::filesystem::path& dataset,
                       const std::string& split);

// Checks the split's files, and that the labels belong to this dataset: else throws InputError
// naming both. Must be called by all ranks.
CellInputs open_cell_inputs(const TaskContext& context, const std::string& split);
// Same for a task that one rank runs while the others wait.
CellInputs open_cell_inputs_alone(const TaskContext& context, const std::string& split);

}  // namespace remixer::worker
