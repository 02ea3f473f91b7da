// SPDX-License-Identifier: Apache-2.0
// Opens what a train or evaluate task reads: the data set and, if the cell has a labeler, a split's
// labels.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "core/augment/patch_labels.h"
#include "worker/task_runner.h"

namespace remixer::worker {

struct CellInputs {
  std::filesystem::path dataset;
  std::unique_ptr<data::LabelSource> labels;  // null where the cell needs none of this split
};

// Throws InputError on all ranks where a file of the split is not what was imported; rank 0 looks.
// To be called by all ranks.
void check_split_files(const TaskContext& context, const std::filesystem::path& dataset,
                       const std::string& split);

// Checks the split's files, and that the labels are of this very dataset: throws InputError naming
// both otherwise. To be called by all ranks.
CellInputs open_cell_inputs(const TaskContext& context, const std::string& split);
// The same for a task that one rank does while the others wait.
CellInputs open_cell_inputs_alone(const TaskContext& context, const std::string& split);

}  // namespace remixer::worker
