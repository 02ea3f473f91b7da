// SPDX-License-Identifier: Apache-2.0
// What a very large study costs the daemon.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/text_table.h"

namespace remixer::coordinator::command {

struct BenchStudyOptions {
  int64_t cells = 250000;          // of one grid's file
  int64_t workers = 2000;          // that send heartbeats
  int64_t finished = 5000;         // cells that are submitted again, whose files are looked at
  double slow_milliseconds = 0.8;  // that the file system takes for each look
  double seconds = 20;             // of heartbeats
  std::filesystem::path folder;    // empty: the system's temporary folder
};

// Prints what each took, of a real daemon in a process of its own: submitting the grid's file; a
// heartbeat of every worker each second; heartbeats while finished grids are submitted again and
// their files are looked at on a slow file system.
int bench_study(const BenchStudyOptions& options, Format format);

}  // namespace remixer::coordinator::command
