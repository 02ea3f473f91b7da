// SPDX-License-Identifier: Apache-2.0
// Reads details of the runs of each cell in a table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "reports/study.h"

namespace remixer::reports {

// One committed task of a cell.
struct RunDetails {
  std::string kind, set;  // "train", "evaluate", "saliency"; set: for the latter two
  std::string task_id;
  int64_t attempts = 0;
  // Of the committed attempt.
  std::string host, device, commit, started, ended;  // times in ISO 8601, UTC
  std::string file, sha256;  // below the workspace: checkpoint, predictions, maps
  bool kept = false;         // whether the file exists
};

struct CurvePoint {
  double epoch = 0, value = 0;
};

struct CellDetails {
  std::string cell_id, name, labels;  // "DeiT-S"; "ReLabel", empty for a plain model
  int64_t seed = 0;
  std::string spec;  // its identity, as indented JSON
  std::vector<RunDetails> runs;
  std::vector<CurvePoint> loss, hold_out;  // by step; percent of the held-out images
};

// Returns the cells of `study` whose ids are in `wanted`, in the study's order. Reads `database`,
// and looks for files below `workspace`. Throws Error if the database cannot be read.
std::vector<CellDetails> read_run_details(const Study& study, const std::set<std::string>& wanted,
                                          const std::filesystem::path& database,
                                          const std::filesystem::path& workspace);

}  // namespace remixer::reports
