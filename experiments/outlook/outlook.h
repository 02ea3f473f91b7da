// SPDX-License-Identifier: Apache-2.0
// Estimates what a grid will cost before it runs: work, time, disk.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "experiments/grid/grid.h"
#include "experiments/outlook/rates.h"

namespace remixer::experiments {

// Tasks that are alike.
struct OutlookRow {
  std::string kind;  // "prepare", "label", "train" or "evaluate"
  std::string what;  // "deit_small_patch16_224 · bigbigan"
  int64_t tasks = 0, reused = 0;
  int64_t images = 0;          // of those to run
  double device_hours = 0;     // hours of one GPU, or of one processor
  double processor_hours = 0;  // where the work is on processors, as labelling always is
  double gigabytes = 0;        // that it leaves on disk
  bool known = true;           // false: images or rate are not known, and hours are left out
  std::string basis{};         // of the hours
};

struct Outlook {
  int64_t cells = 0, cells_reused = 0, tasks = 0, tasks_reused = 0;
  std::vector<OutlookRow> rows;
  double device_hours = 0, processor_hours = 0;
  double wall_hours = 0;     // with the machine's workers, none of them ever waiting
  double longest_hours = 0;  // of one training on one worker
  double label_gigabytes = 0, model_gigabytes = 0;
  bool whole = true;  // false: some row is not known
};

// `done`: ids of tasks that are finished. Tasks on stand-ins are never among them.
Outlook look_ahead(const OutlinedGrid& outlined, const std::set<std::string>& done,
                   const Rates& rates);

}  // namespace remixer::experiments
