// SPDX-License-Identifier: Apache-2.0
// Measures how a daemon's costs grow with the number of finished cells.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/text_table.h"

namespace remixer::coordinator::command {

struct BenchSchedulerOptions {
  std::vector<int64_t> finished;  // empty: 1,000 and 100,000
  int64_t submitted = 10000;
  int64_t evaluations = 1;  // per cell
  int64_t claims = 2000;
  std::string program;           // program run by each task of the throughput test; empty: none
  std::filesystem::path folder;  // empty: the system's temporary folder
};

// Prints a row for each of `finished`: a real daemon in a separate process, accessed over HTTP by
// one worker (claims), then by two at once (tasks per second).
int bench_scheduler(const BenchSchedulerOptions& options, Format format);

}  // namespace remixer::coordinator::command
