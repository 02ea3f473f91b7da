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
  Study study;  // as the files give it: figures and κ that no file gives are missing
  // By task, why its figures or its κ could not be made again, or what else is wrong with its file.
  std::map<std::string, std::string> trouble;
  // Cells whose checkpoint is not kept: their κ are as training recorded them.
  std::vector<std::string> without_checkpoint;
  int64_t predictions = 0, checkpoints = 0;  // files that were read
  int64_t packed = 0;                        // evaluations whose predictions are packed
};

// Reads every file of predictions, or what is packed of it, and every checkpoint's κ below
// `workspace`, and from the database what training recorded. Throws Error where the database cannot
// be read.
Recount recount(const Study& study, const std::filesystem::path& database,
                const std::filesystem::path& workspace);

}  // namespace remixer::reports
