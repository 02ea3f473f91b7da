// SPDX-License-Identifier: Apache-2.0
// Recomputes a study's figures from the files of its runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "reports/study.h"

namespace remixer::reports {

struct Recount {
  Study study;  // from the files: figures and κ that no file gives are missing
  // By task: why its figures or κ could not be recomputed, or another fault of its file.
  std::map<std::string, std::string> trouble;
  // Cells whose checkpoint is not kept: their κ values are those recorded in training.
  std::vector<std::string> without_checkpoint;
  int64_t predictions = 0, checkpoints = 0;  // files read
  int64_t packed = 0;                        // evaluations whose predictions are packed
};

// Reads all prediction files (or their packed content) and all checkpoints' κ below `workspace`,
// and the values recorded in training from the database. Throws Error if the database cannot be
// read.
Recount recount(const Study& study, const std::filesystem::path& database,
                const std::filesystem::path& workspace);

}  // namespace remixer::reports
