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

// A group of similar tasks.
struct OutlookRow {
  std::string kind;  // "prepare", "label", "train", "evaluate" or "saliency"
  std::string what;  // "deit_small_patch16_224 · bigbigan"
  int64_t tasks = 0, reused = 0;
  int64_t images = 0;          // of the tasks to run
  double device_hours = 0;     // hours of one GPU, or of one CPU core
  double processor_hours = 0;  // of one CPU core: labels' reading, and those of no network on a GPU
  double gigabytes = 0;        // left on disk
  bool known = true;           // false: images or rate are unknown, and hours are left out
  std::string basis{};         // source of the hours
};

struct Outlook {
  int64_t cells = 0, cells_reused = 0, tasks = 0, tasks_reused = 0;
  std::vector<OutlookRow> rows;
  double device_hours = 0, processor_hours = 0;
  double wall_hours = 0;     // with the machine's workers, assuming that none ever waits
  double longest_hours = 0;  // the longest single training on one worker
  double label_gigabytes = 0, model_gigabytes = 0;
  bool whole = true;  // false: some row is unknown
};

// `done`: ids of finished tasks. Tasks on placeholders are never among them.
Outlook look_ahead(const OutlinedGrid& outlined, const std::set<std::string>& done,
                   const Rates& rates);

}  // namespace remixer::experiments
