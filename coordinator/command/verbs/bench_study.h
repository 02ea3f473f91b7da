// SPDX-License-Identifier: Apache-2.0
// Measures what a very large study costs the daemon.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/text_table.h"

namespace remixer::coordinator::command {

struct BenchStudyOptions {
  int64_t cells = 250000;          // in one grid file
  int64_t workers = 2000;          // sending heartbeats
  int64_t finished = 5000;         // cells submitted again, with their files checked
  double slow_milliseconds = 0.8;  // file system delay per check
  double seconds = 20;             // duration of the heartbeats
  std::filesystem::path folder;    // empty: the system's temporary folder
};

// Prints the time of each step with a real daemon in a separate process: submitting the grid's
// file; a heartbeat of every worker each second; heartbeats while finished grids are submitted
// again and their files are checked on a slow file system.
int bench_study(const BenchStudyOptions& options, Format format);

}  // namespace remixer::coordinator::command
